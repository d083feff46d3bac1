/*
 * `pesd --user` that root starts becomes an ordinary user first: limits on processes mean nothing
 * to uid 0, and user mode is to be the same wherever it is started.
 *
 * It is done before any file, socket or process is made. What is checked at the end is that there
 * is no way back.
 */
#include "launcher/drop.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "launcher/config_value.h"

static int find_user(const char *user, uid_t *ret_uid, gid_t *ret_gid, const char **ret_name,
                     char *why)
{
    char text[CONFIG_VALUE_TEXT_BYTES_MAX];
    struct passwd *entry;
    uint64_t number;

    if (config_value_count(user, 0, 0xfffffff0u, &number, text) == 0) {
        entry = getpwuid((uid_t)number);
        *ret_uid = (uid_t)number;
        *ret_gid = entry ? entry->pw_gid : (gid_t)number;
        *ret_name = entry ? entry->pw_name : NULL;
        return 0;
    }
    entry = getpwnam(user);
    if (!entry) {
        snprintf(why, DROP_WHY_BYTES_MAX, "there is no such user");
        return DROP_E_REFUSED;
    }
    *ret_uid = entry->pw_uid;
    *ret_gid = entry->pw_gid;
    *ret_name = entry->pw_name;
    return 0;
}

int drop_to_user(const char *user, char ret_why[DROP_WHY_BYTES_MAX])
{
    const char *name;
    uid_t uid;
    gid_t gid;
    int r = find_user(user, &uid, &gid, &name, ret_why);

    if (r != 0) {
        return r;
    }
    if (uid == 0 || gid == 0) {
        snprintf(ret_why, DROP_WHY_BYTES_MAX, "this is root, or of root's group");
        return DROP_E_REFUSED;
    }
    r = name ? initgroups(name, gid) : setgroups(0, NULL);
    if (r < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        snprintf(ret_why, DROP_WHY_BYTES_MAX, "%s", strerror(errno));
        return -errno;
    }
    if (setuid(0) == 0 || seteuid(0) == 0) {
        snprintf(ret_why, DROP_WHY_BYTES_MAX, "root could be got back");
        return DROP_E_REFUSED;
    }
    return 0;
}
