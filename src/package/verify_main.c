/*
 * pes-verify: is this package signed, and what does it say?
 *
 * Started by pesd and by `pes provider` for one package. It has the package, its signature and the
 * trusted keys as descriptors, and a pipe for its answer; when it reads the first byte of them it
 * can open, execute and connect nothing any more. The manifest is looked at only when the signature
 * over every byte of the package is good. libcrypto lives here and in pes-package, so that neither
 * pesd nor the broker links it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "package/container.h"
#include "package/record.h"
#include "sandbox/sandbox.h"

#define EXIT_USAGE 64

struct mapping {
    const uint8_t *bytes;
    size_t n_bytes;
};

static int map(struct mapping *ret, int fd)
{
    struct stat st;
    void *bytes;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    *ret = (struct mapping){(const uint8_t *)"", 0};
    if (st.st_size == 0) {
        return 0;
    }
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        return -errno;
    }
    *ret = (struct mapping){bytes, (size_t)st.st_size};
    return 0;
}

static int refuse(struct package_record *record, const char *why)
{
    snprintf(record->why, sizeof(record->why), "%s", why);
    record->state = PACKAGE_REFUSED;
    return 0;
}

static int read_keys(struct package_record *record, struct minisign_key *ret, size_t *ret_n)
{
    struct mapping mapping;
    int r = map(&mapping, VERIFY_KEYS_FD);
    size_t n = mapping.n_bytes / sizeof(struct minisign_key_file);

    if (r < 0 || n > MINISIGN_KEYS_MAX) {
        return r < 0 ? r : -EINVAL;
    }
    for (size_t i = 0; i < n; i++) {
        struct minisign_key_file file;
        char why[PACKAGE_WHY_BYTES_MAX];

        memcpy(&file, mapping.bytes + i * sizeof(file), sizeof(file));
        file.name[sizeof(file.name) - 1] = '\0';
        if (file.n_bytes > sizeof(file.bytes) ||
            minisign_key_parse(&ret[i], file.bytes, file.n_bytes, why) != 0) {
            snprintf(record->why, sizeof(record->why),
                     "the trusted key '%s' is no public key of minisign; mend or remove it",
                     file.name);
            return PACKAGE_E_BAD;
        }
    }
    *ret_n = n;
    return 0;
}

/* 0, PACKAGE_E_BAD with a text in the record, or -errno. */
static int examine(struct package_record *record)
{
    static struct minisign_key keys[MINISIGN_KEYS_MAX];
    struct mapping signature;
    struct mapping package;
    size_t n_keys = 0;
    size_t key = 0;
    int r = read_keys(record, keys, &n_keys);

    if (r != 0) {
        return r;
    }
    r = map(&package, VERIFY_PACKAGE_FD);
    if (r == 0) {
        r = map(&signature, VERIFY_SIGNATURE_FD);
    }
    if (r == 0) {
        r = minisign_verify(keys, n_keys, package.bytes, package.n_bytes,
                            (const char *)signature.bytes, signature.n_bytes, &key, record->why);
    }
    if (r != 0) {
        return r;
    }
    minisign_id_text(record->key_id, keys[key].id);
    sha256_digest(package.bytes, package.n_bytes, record->sha256);
    return container_parse(&record->manifest, package.bytes, package.n_bytes, record->why);
}

static int confine(void)
{
    const struct sandbox_rlimits limits = {
        .address_space_bytes = sandbox_limits_address_space ? 1ull << 30 : 0,
        .n_files = 16,
        .n_processes = 1,
    };
    int r = sandbox_no_new_privs();

    if (r == 0) {
        r = sandbox_not_dumpable();
    }
    if (r == 0) {
        r = sandbox_die_with_parent();
    }
    if (r == 0) {
        r = sandbox_rlimits_apply(&limits);
    }
    if (r == 0) {
        r = sandbox_landlock_apply(NULL);
        /* A kernel without it is let pass: seccomp forbids every call that it would look at. */
        r = r == SANDBOX_E_ABSENT ? 0 : r;
    }
    return r == 0 ? sandbox_seccomp_apply(&seccomp_profile_verify) : r;
}

static int write_all(int fd, const void *bytes, size_t n_bytes)
{
    size_t done = 0;

    while (done < n_bytes) {
        ssize_t n = write(fd, (const char *)bytes + done, n_bytes - done);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static struct package_record record;
    int r;

    (void)argv;
    if (argc != 1) {
        fprintf(stderr, "pes-verify is started by pesd and `pes provider`, with its descriptors\n");
        return EXIT_USAGE;
    }
    r = minisign_warm_up();
    if (r < 0) {
        (void)refuse(&record, "libcrypto does not work here");
    } else if (confine() != 0) {
        (void)refuse(&record, "pes-verify cannot confine itself, so nothing is looked at");
    } else {
        r = examine(&record);
        record.state = r == 0 ? PACKAGE_SIGNED : PACKAGE_REFUSED;
        if (r < 0) {
            (void)refuse(&record, "pes-verify failed, most likely for want of memory");
        }
    }
    return write_all(VERIFY_RECORD_FD, &record, sizeof(record)) < 0 ? 1 : 0;
}
