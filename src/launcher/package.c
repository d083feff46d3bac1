/*
 * Signed packages, as the launcher sees them.
 *
 * The launcher copies raw bytes into sealed memory and has pes-verify, in a sandbox, say whether
 * they are signed and what the manifest is. What it executes is cut out of that same memory. A
 * refusal is told three times: to the log, to `pes status` (the caller does that), and never to a
 * client, for whom the provider is just not there.
 */
#include "launcher/package.h"

#include <stdio.h>
#include <string.h>

#include <pes/enums.h>
#include <pes/provider.h>

#include "log/log.h"
#include "package/check.h"
#include "package/memory.h"

bool package_is_named(const char *module)
{
    size_t n = strlen(module);
    size_t n_suffix = strlen(PACKAGE_SUFFIX);

    return n > n_suffix && strcmp(module + n - n_suffix, PACKAGE_SUFFIX) == 0;
}

static int examine(const struct package_place *place, const char *path, const char *name,
                   struct package_record *ret, int *ret_package, char *why)
{
    char floor[PATH_MAX];
    char program[PATH_MAX];
    struct check check = {
        .path = path,
        .program = program,
        .uid = place->is_system ? place->verify_uid : 0,
        .trust = {.folder = place->config_folder, .owner = geteuid()},
        .rules = {.name = name,
                  .today = rules_today(),
                  .abi = PES_PROVIDER_ABI,
                  .registry = PES_REGISTRY_VERSION},
    };
    int r;

    if (paths_join(program, place->paths->libexec, "pes-verify") < 0 ||
        rules_floor_path(path, floor) < 0) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX, "the package's path is too long");
        return PACKAGE_E_BAD;
    }
    r = rules_read_floor(floor, &check.rules.floor, why);
    return r == 0 ? check_package(&check, ret, ret_package, why) : r;
}

static void tell_trusted(const struct package_record *record)
{
    char digest[2 * SHA256_DIGEST_BYTES + 1];

    for (size_t i = 0; i < SHA256_DIGEST_BYTES; i++) {
        snprintf(digest + 2 * i, 3, "%02x", record->sha256[i]);
    }
    log_event(LOG_INFO, EV_PACKAGE_TRUSTED,
              "provider '%s': version '%s', serial %llu, signed with key %s, sha256 %s",
              record->manifest.name, record->manifest.version,
              (unsigned long long)record->manifest.serial, record->key_id, digest);
}

static void tell_refused(const char *path, const char *name, const char *why)
{
    char safe_path[LOG_SAFE_BYTES];
    char safe_why[LOG_SAFE_BYTES];

    log_safe(path, strlen(path), safe_path);
    log_safe(why, strlen(why), safe_why);
    log_event(LOG_ERR, EV_PACKAGE_REFUSED, "provider '%s', package '%s': '%s'", name, safe_path,
              safe_why);
}

int package_load(const struct package_place *place, const char *path, const char *name, int *ret_fd,
                 char ret_why[MODULE_WHY_BYTES_MAX])
{
    CLEANUP(freep) struct package_record *record = malloc(sizeof(*record));
    CLEANUP(closep) int package = -1;
    char why[PACKAGE_WHY_BYTES_MAX] = "no memory to look at the package";
    int r = record ? examine(place, path, name, record, &package, why) : -ENOMEM;

    if (r == 0) {
        const struct manifest_file *module = manifest_module(&record->manifest);

        r = module ? memory_copy_module(package, module, ret_fd) : -EBADMSG;
        if (r < 0) {
            snprintf(why, sizeof(why), "its module cannot be taken out: %s", strerror(-r));
        }
        r = r == -EBADMSG ? PACKAGE_E_BAD : r;
    }
    if (r != 0) {
        tell_refused(path, name, why);
        snprintf(ret_why, MODULE_WHY_BYTES_MAX, "%s", why);
        return r == PACKAGE_E_REVOKED ? MODULE_E_REVOKED : r > 0 ? MODULE_E_REFUSED : r;
    }
    tell_trusted(record);
    return 0;
}
