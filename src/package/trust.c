/*
 * Trusted keys and revocations.
 *
 * Whoever can write a key can sign everything, so a folder or a key that others can write is not
 * trusted less but not at all, and loudly: nothing signed is started until that is mended. Keys are
 * only carried here, not read; pes-verify looks at them in its sandbox.
 *
 * The list of revocations is the administrator's own text: `key ID` or `package SHA256` per line.
 * A line that is not understood counts as a mistake and revokes everything: to skip it would be to
 * run what somebody wanted not to run.
 */
#include "package/trust.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "package/memory.h"

#define REVOKED_BYTES_MAX (1u << 20)

static bool is_owned_alone(const struct stat *st, uid_t owner)
{
    return (st->st_uid == 0 || st->st_uid == owner) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Opens it, and refuses what others could have written. */
static int open_trusted(const char *path, int flags, uid_t owner, int *ret_fd, char *why)
{
    CLEANUP(closep) int fd = open(path, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        int error = errno;

        snprintf(why, PACKAGE_WHY_BYTES_MAX, "'%.160s' cannot be read: %s", path, strerror(error));
        return -error;
    }
    if (!is_owned_alone(&st, owner)) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX,
                 "'%.120s' is not trusted: it must belong to %s and be writable by nobody else; "
                 "nothing signed is started",
                 path, owner == 0 ? "root" : "root or you");
        return PACKAGE_E_BAD;
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int read_whole(int fd, char *ret, size_t n_most, size_t *ret_n)
{
    size_t done = 0;

    while (done < n_most) {
        ssize_t n = read(fd, ret + done, n_most - done);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    *ret_n = done;
    return 0;
}

static int is_key(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > 4 && strcmp(entry->d_name + n - 4, ".pub") == 0;
}

static int read_key(const char *folder, const char *name, uid_t owner,
                    struct minisign_key_file *ret, char *why)
{
    CLEANUP(closep) int fd = -1;
    char path[PATH_MAX];
    char bytes[sizeof(ret->bytes) + 1]; /* one more tells that there is more */
    size_t n = 0;
    int r;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX, "the path to the key '%.64s' is too long", name);
        return PACKAGE_E_BAD;
    }
    r = open_trusted(path, 0, owner, &fd, why);
    if (r != 0) {
        return r;
    }
    r = read_whole(fd, bytes, sizeof(bytes), &n);
    if (r < 0 || n > sizeof(ret->bytes)) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX, "'%.160s' is no public key of minisign", path);
        return r < 0 ? r : PACKAGE_E_BAD;
    }
    *ret = (struct minisign_key_file){.n_bytes = (uint32_t)n};
    snprintf(ret->name, sizeof(ret->name), "%.64s", name);
    memcpy(ret->bytes, bytes, n);
    return 0;
}

static int read_keys(const char *folder, uid_t owner, struct dirent **entries, int n, int *ret_fd,
                     char *why)
{
    CLEANUP(freep) struct minisign_key_file *keys = calloc((size_t)n + 1, sizeof(*keys));
    int r = keys ? 0 : -ENOMEM;

    for (int i = 0; i < n && r == 0; i++) {
        r = read_key(folder, entries[i]->d_name, owner, &keys[i], why);
    }
    if (r == 0) {
        r = memory_from_bytes("pes-keys", keys, (size_t)n * sizeof(*keys), ret_fd);
        if (r < 0) {
            snprintf(why, PACKAGE_WHY_BYTES_MAX, "no memory for keys: %s", strerror(-r));
        }
    }
    return r;
}

/* No folder is no error of the machine: it says that nobody is trusted. */
static int check_folder(const struct trust *trust, const char *folder, char *why)
{
    CLEANUP(closep) int above = -1;
    CLEANUP(closep) int fd = -1;
    int r = open_trusted(trust->folder, O_DIRECTORY, trust->owner, &above, why);

    if (r == 0) {
        r = open_trusted(folder, O_DIRECTORY, trust->owner, &fd, why);
    }
    if (r == -ENOENT) {
        snprintf(why, PACKAGE_WHY_BYTES_MAX,
                 "no key is trusted: there is no folder '%.140s'; make it, for root alone to write",
                 folder);
        return PACKAGE_E_BAD;
    }
    return r;
}

int trust_load_keys(const struct trust *trust, int *ret_fd, char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    struct dirent **entries = NULL;
    char folder[PATH_MAX];
    int n;
    int r;

    if (!trust->folder) {
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX,
                 "no key is trusted: there is no configuration folder; make one with keys.d in it");
        return PACKAGE_E_BAD;
    }
    snprintf(folder, sizeof(folder), "%s/keys.d", trust->folder);
    r = check_folder(trust, folder, ret_why);
    if (r != 0) {
        return r;
    }
    n = scandir(folder, &entries, is_key, alphasort);
    if (n < 0) {
        r = -errno;
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX, "'%.160s' cannot be listed: %s", folder,
                 strerror(-r));
        return r;
    }
    if (n > MINISIGN_KEYS_MAX) {
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX, "'%.160s' has more than %d keys", folder,
                 MINISIGN_KEYS_MAX);
        r = PACKAGE_E_BAD;
    } else {
        r = read_keys(folder, trust->owner, entries, n, ret_fd, ret_why);
    }
    for (int i = 0; i < n; i++) {
        free(entries[i]);
    }
    free(entries);
    return r;
}

/* ---------------------------------------------------------------------------------- revocations */

static void hex(char *ret, const uint8_t *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
    }
}

static bool is_hex(const char *text, size_t n)
{
    return strlen(text) == n && strspn(text, "0123456789abcdefABCDEF") == n;
}

int trust_check_revoked_text(const char *path, char *text, const struct package_record *record,
                             char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    char digest[2 * SHA256_DIGEST_BYTES + 1];
    unsigned int number = 0;
    char *line;

    hex(digest, record->sha256, sizeof(record->sha256));
    while ((line = strsep(&text, "\n"))) {
        number++;
        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }
        if (strncmp(line, "key ", 4) == 0 && is_hex(line + 4, MINISIGN_ID_TEXT_BYTES - 1)) {
            if (strcasecmp(line + 4, record->key_id) == 0) {
                snprintf(ret_why, PACKAGE_WHY_BYTES_MAX,
                         "its key %s was revoked (%.120s, line %u); get a package that is signed "
                         "with another",
                         record->key_id, path, number);
                return PACKAGE_E_REVOKED;
            }
        } else if (strncmp(line, "package ", 8) == 0 && is_hex(line + 8, sizeof(digest) - 1)) {
            if (strcasecmp(line + 8, digest) == 0) {
                snprintf(ret_why, PACKAGE_WHY_BYTES_MAX,
                         "this package was revoked (%.120s, line %u); get a newer one", path,
                         number);
                return PACKAGE_E_REVOKED;
            }
        } else {
            snprintf(ret_why, PACKAGE_WHY_BYTES_MAX,
                     "%.120s, line %u: give 'key ID' (16 hexadecimal digits) or 'package SHA256'; "
                     "until then nothing signed is started",
                     path, number);
            return PACKAGE_E_BAD;
        }
    }
    return 0;
}

int trust_check_revoked(const struct trust *trust, const struct package_record *record,
                        char ret_why[PACKAGE_WHY_BYTES_MAX])
{
    CLEANUP(closep) int fd = -1;
    CLEANUP(freep) char *text = NULL;
    char path[PATH_MAX];
    size_t n = 0;
    int r;

    snprintf(path, sizeof(path), "%s/revoked", trust->folder);
    r = open_trusted(path, 0, trust->owner, &fd, ret_why);
    if (r == -ENOENT) {
        return 0;
    }
    text = r == 0 ? malloc(REVOKED_BYTES_MAX + 1) : NULL;
    if (r == 0) {
        r = text ? read_whole(fd, text, REVOKED_BYTES_MAX + 1, &n) : -ENOMEM;
        if (r < 0) {
            snprintf(ret_why, PACKAGE_WHY_BYTES_MAX, "'%.160s' cannot be read: %s", path,
                     strerror(-r));
        }
    }
    if (r == 0 && (n > REVOKED_BYTES_MAX || memchr(text, '\0', n))) {
        snprintf(ret_why, PACKAGE_WHY_BYTES_MAX, "'%.160s' is larger than 1 MiB, or no text", path);
        r = PACKAGE_E_BAD;
    }
    if (r != 0) {
        return r;
    }
    text[n] = '\0';
    return trust_check_revoked_text(path, text, record, ret_why);
}
