/*
 * All that is asked of a package before it is used, in its order.
 *
 * The bytes are copied into sealed memory first and never read from the file again: a file that is
 * swapped afterwards changes nothing. Then the signature over these bytes, by a key of this
 * machine; then what was revoked; then what the manifest says.
 */
#include "package/check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "package/container.h"
#include "package/inspect.h"
#include "package/memory.h"

static int load_signature(const char *path, int *ret_fd, char *why)
{
    char name[PATH_MAX];
    size_t n;
    int r;

    if (snprintf(name, sizeof(name), "%s.minisig", path) >= (int)sizeof(name)) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX, "the package's path is too long");
        return PACKAGE_E_BAD;
    }
    if (access(name, F_OK) < 0 && errno == ENOENT) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX,
                 "the package is not signed: there is no '%.140s' beside it", name);
        return PACKAGE_E_BAD;
    }
    r = memory_load(name, "the signature", MINISIGN_FILE_BYTES_MAX, ret_fd, &n, why);
    return r;
}

int check_package(const struct check *check, struct package_record *ret, int *ret_package,
                  char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    CLEANUP(closep) int package = -1;
    CLEANUP(closep) int signature = -1;
    CLEANUP(closep) int keys = -1;
    struct inspect inspect = {.program = check->program, .uid = check->uid};
    int r;

    *ret = (struct package_record){0};
    r = memory_load(check->path, "the package", CONTAINER_BYTES_MAX, &package, &inspect.n_package,
                    ret_why);
    if (r == 0) {
        r = load_signature(check->path, &signature, ret_why);
    }
    if (r == 0) {
        r = trust_load_keys(&check->trust, &keys, ret_why);
    }
    if (r != 0) {
        return r;
    }
    inspect.package = package;
    inspect.signature = signature;
    inspect.keys = keys;
    r = inspect_run(&inspect, ret, ret_why);
    if (r < 0) {
        *ret = (struct package_record){0}; /* whatever is in it is nobody's word */
        return r;
    }
    if (ret->state != PACKAGE_SIGNED) {
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX, "%s", ret->why);
        return PACKAGE_E_BAD;
    }
    r = trust_check_revoked(&check->trust, ret, ret_why);
    if (r == 0) {
        r = rules_check(&check->rules, &ret->manifest, ret_why);
    }
    if (r == 0) {
        *ret_package = TAKE_FD(package);
    }
    return r;
}
