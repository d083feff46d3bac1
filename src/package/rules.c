/*
 * What a good signature does not settle: names, versions, dates.
 *
 * A signature says who made a package, not that it is the one that is wanted. Whoever can put files
 * on a mirror can serve last year's package with its hole, signed and whole: the serial and its
 * floor are against that, the date against a machine that is never told of the next one.
 */
#include "package/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int refuse(char *why, const char *text)
{
    snprintf(why, PACKAGE_WHY_BYTES_MAX, "%s", text);
    return PACKAGE_E_BAD;
}

static int check_versions(const struct rules *rules, const struct manifest *manifest, char *why)
{
    if (manifest->abi != rules->abi) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX,
                 "it is made for version %llu of the provider interface, this pes has version "
                 "%llu; get the package for it",
                 (unsigned long long)manifest->abi, (unsigned long long)rules->abi);
        return PACKAGE_E_BAD;
    }
    if (manifest->registry > rules->registry) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX,
                 "it knows kinds of registry version %llu, this pes knows version %llu; update pes",
                 (unsigned long long)manifest->registry, (unsigned long long)rules->registry);
        return PACKAGE_E_BAD;
    }
    if (manifest->serial < rules->floor) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX,
                 "it is older than one that was installed here: serial %llu, at least %llu is "
                 "wanted",
                 (unsigned long long)manifest->serial, (unsigned long long)rules->floor);
        return PACKAGE_E_BAD;
    }
    return 0;
}

int rules_check(const struct rules *rules, const struct manifest *manifest,
                char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    if (rules->name && strcmp(rules->name, manifest->name) != 0) {
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX,
                 "it is the package of provider '%s'; name the provider like that", manifest->name);
        return PACKAGE_E_BAD;
    }
    if (manifest->form != MANIFEST_FORM_MODULE) {
        return refuse(ret_why, "agents and lookup helpers cannot be started by this version of "
                               "pes");
    }
    if (manifest->expires != 0 && rules->today == 0) {
        return refuse(ret_why, "it has a last day and the clock does not tell today's; set it");
    }
    if (manifest->expires != 0 && rules->today > manifest->expires) {
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX, "its last day was %llu; get a newer package",
                 (unsigned long long)manifest->expires);
        return PACKAGE_E_BAD;
    }
    return check_versions(rules, manifest, ret_why);
}

uint64_t rules_today(void)
{
    time_t now = time(NULL);
    struct tm tm;

    if (now < 0 || !gmtime_r(&now, &tm)) {
        return 0;
    }
    return (uint64_t)(tm.tm_year + 1900) * 10000 + (uint64_t)(tm.tm_mon + 1) * 100 +
           (uint64_t)tm.tm_mday;
}

int rules_floor_path(const char *package, char ret[4096])
{
    size_t n = strlen(package);
    size_t n_suffix = strlen(".pespkg");

    if (n >= n_suffix && strcmp(package + n - n_suffix, ".pespkg") == 0) {
        n -= n_suffix;
    }
    return snprintf(ret, 4096, "%.*s.floor", (int)n, package) >= 4096 ? -ENAMETOOLONG : 0;
}

int rules_read_floor(const char *path, uint64_t *ret, char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    char text[32];
    uint64_t floor = 0;
    ssize_t n;

    if (fd < 0 && errno == ENOENT) {
        *ret = 0;
        return 0;
    }
    n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (n < 0) {
        int error = errno;

        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX, "'%.160s' cannot be read: %s", path,
                 strerror(error));
        return -error;
    }
    for (ssize_t i = 0; i < n - 1; i++) {
        if (n > 18 || text[i] < '0' || text[i] > '9') {
            n = 0;
            break;
        }
        floor = floor * 10 + (uint64_t)(text[i] - '0');
    }
    if (n < 2 || text[n - 1] != '\n') {
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX,
                 "'%.120s' must hold one number, the least serial; mend it", path);
        return PACKAGE_E_BAD;
    }
    *ret = floor;
    return 0;
}
