/*
 * Scratch folders for an engine that needs temporary files: one per worker slot, made before rights
 * are given up, emptied whenever the slot's process has been reaped.
 *
 * They are given only where three things hold, because a provider that has some may make and remove
 * files: the kernel lets us mount, Landlock confines that to the folders, and signals are kept in
 * by the pid namespace or by Landlock (the table for workers without either knows no files).
 *
 * Each is a file system of its own with a cap (sandbox_scratch.c), so that one worker can neither
 * read nor fill another's. Their memory counts for the provider's processes.
 */
#include "init/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ipc/init_channel.h"
#include "log/log.h"
#include "sandbox/sandbox.h"

#define MIB 1048576ull

/* Landlock keeps signals inside since then. */
#define LANDLOCK_ABI_SIGNALS 6

static int one_make(const struct init_options *options, int number)
{
    uint32_t uid = options->has_uid ? options->uid : geteuid();
    uint32_t gid = options->has_uid ? options->gid : getegid();
    CLEANUP(closep) int fd = -1;
    int r = sandbox_scratch_make(options->scratch_mib * MIB, uid, gid, &fd);

    if (r < 0) {
        return r;
    }
    return dup3(fd, number, O_CLOEXEC) < 0 ? -errno : 0;
}

static void give_none(const struct init_options *options, const char *why)
{
    char name[LOG_SAFE_BYTES];

    log_event(LOG_WARNING, EV_SANDBOX,
              "provider '%s' gets no folder for temporary files: %s; starting it without",
              log_safe(options->name, strlen(options->name), name), why);
}

void scratch_make(struct scratch *ret_scratch, const struct init_options *options,
                  uint32_t namespaces)
{
    size_t n_folders = (size_t)INIT_BROKERS_MAX * options->n_slots + 1;

    ret_scratch->n_folders = 0;
    if (options->scratch_mib == 0) {
        return;
    }
    if (sandbox_landlock_abi() == 0) {
        give_none(options, "this kernel has no Landlock to keep it there");
        return;
    }
    if (!(namespaces & SANDBOX_NS_PID) && sandbox_landlock_abi() < LANDLOCK_ABI_SIGNALS) {
        give_none(options, "nothing keeps its signals inside");
        return;
    }
    for (size_t i = 0; i < n_folders; i++) {
        int r = one_make(options, SCRATCH_FD_FIRST + (int)i);

        if (r < 0) {
            close_range(SCRATCH_FD_FIRST, SCRATCH_FD_FIRST + (unsigned int)i, 0);
            give_none(options, strerror(-r));
            return;
        }
    }
    ret_scratch->n_folders = n_folders;
}

int scratch_confine(const struct scratch *scratch)
{
    struct landlock_rules rules = {
        .scratch_fd = SCRATCH_FD_FIRST,
        .n_scratch = scratch->n_folders,
        .leaves_signals = true, /* the provider's processes are not in this domain */
    };

    return sandbox_landlock_apply(&rules);
}

int scratch_wipe(const struct scratch *scratch, size_t slot)
{
    return slot < scratch->n_folders ? sandbox_scratch_wipe(SCRATCH_FD_FIRST + (int)slot) : 0;
}
