/*
 * Phase 1 and phase 2 (README.md), in the order that they need each other.
 *
 * A step that fails names itself and ends the start: nothing foreign runs less confined than it
 * should. The one exception is a kernel without Landlock, where seccomp and the namespaces have to
 * do; status shows that tier.
 */
#include "host/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define MIB (1024ull * 1024ull)

/* Address space while loading: definitions of a whole antivirus are parsed within it. */
#define LOADING_MIB 8192ull

/* A stream comes as up to 64, which are closed as soon as they are mapped. */
#define N_FILES 96

/* Besides, for an engine with temporary files: it has some open for each layer of an archive. */
#define N_FILES_SCRATCH 128

/* More than the folder holds: what is too much is to meet a full folder, not a signal. */
#define WRITTEN_SPARE_MIB 1u

#define N_LIBRARY_PATHS    6
#define N_DEFINITION_PATHS 8

#define LANDLOCK_ABI_SIGNALS 6

static int raise_oom_score(void)
{
    CLEANUP(closep) int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, "800", 3) < 0) {
        return -errno;
    }
    return 0;
}

/* Libraries, and what the provider was given to load: paths separated by ':'. */
static int close_files(const struct host_options *options)
{
    struct landlock_path paths[N_LIBRARY_PATHS + N_DEFINITION_PATHS] = {
        {"/lib", LANDLOCK_READ | LANDLOCK_EXECUTE},
        {"/lib64", LANDLOCK_READ | LANDLOCK_EXECUTE},
        {"/usr/lib", LANDLOCK_READ | LANDLOCK_EXECUTE},
        {"/usr/lib64", LANDLOCK_READ | LANDLOCK_EXECUTE},
        {"/usr/local/lib", LANDLOCK_READ | LANDLOCK_EXECUTE},
        {"/etc/ld.so.cache", LANDLOCK_READ},
    };
    const char *definitions = options->definitions;
    CLEANUP(freep) char *copy = definitions ? strdup(definitions) : NULL;
    struct landlock_rules rules = {
        .paths = paths,
        .n_paths = N_LIBRARY_PATHS,
        .scratch_fd = options->scratch_fd,
        .n_scratch = options->n_scratch,
    };
    char *rest = copy;
    int r;

    if (definitions && !copy) {
        return -ENOMEM;
    }
    while (rest && rules.n_paths < N_LIBRARY_PATHS + N_DEFINITION_PATHS) {
        const char *path = strsep(&rest, ":");

        if (*path != '\0') {
            paths[rules.n_paths++] = (struct landlock_path){path, LANDLOCK_READ};
        }
    }
    r = sandbox_landlock_apply(&rules);
    /* Where files can be made, nothing but Landlock says which. */
    return r == SANDBOX_E_ABSENT ? (options->n_scratch > 0 ? -ENOSYS : 0) : r;
}

static int close_calls(const struct seccomp_profile *profile)
{
    int r = sandbox_seccomp_apply(profile);

    return r == SANDBOX_E_ABSENT ? -ENOSYS : r;
}

static int limit_resources(const struct host_options *options)
{
    struct sandbox_rlimits limits = {
        .address_space_bytes = (LOADING_MIB + options->memory_mib) * MIB,
        .n_files = N_FILES + (options->n_scratch > 0 ? N_FILES_SCRATCH : 0),
        .n_processes = options->n_processes,
        .written_bytes =
            options->n_scratch > 0 ? (options->scratch_mib + WRITTEN_SPARE_MIB) * MIB : 0,
    };

    return sandbox_rlimits_apply(&limits);
}

int confine_before_module(struct confine *confine, const struct host_options *options,
                          const char **ret_step)
{
    int r;

    confine->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (confine->statm_fd < 0) {
        *ret_step = "opening /proc/self/statm";
        return -errno;
    }
    confine->maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (confine->maps_fd < 0) {
        *ret_step = "opening /proc/self/maps";
        return -errno;
    }
    *ret_step = "raising oom_score_adj";
    r = raise_oom_score();
    if (r < 0) {
        return r;
    }
    *ret_step = "dying with init";
    r = sandbox_die_with_parent();
    if (r < 0) {
        return r;
    }
    *ret_step = "limiting resources";
    r = limit_resources(options);
    if (r < 0) {
        return r;
    }
    *ret_step = "no_new_privs";
    r = sandbox_no_new_privs();
    if (r < 0) {
        return r;
    }
    *ret_step = "preventing core dumps";
    r = sandbox_not_dumpable();
    if (r < 0) {
        return r;
    }
    *ret_step = "landlock";
    r = close_files(options);
    if (r < 0) {
        return r;
    }
    if (options->is_signals_open && sandbox_landlock_abi() < LANDLOCK_ABI_SIGNALS) {
        *ret_step = "seccomp for signals";
        r = close_calls(&seccomp_profile_provider_signals);
        if (r < 0) {
            return r;
        }
    }
    *ret_step = "seccomp";
    return close_calls(options->n_scratch > 0 ? &seccomp_profile_provider_scratch
                                              : &seccomp_profile_provider);
}

int confine_memory_to_loaded(struct confine *confine, uint32_t memory_mib)
{
    unsigned long long n_pages;
    struct rlimit limit;
    char text[128];
    ssize_t n;

    n = pread(confine->statm_fd, text, sizeof(text) - 1, 0);
    if (n < 0) {
        return -errno;
    }
    text[n] = '\0';
    n_pages = strtoull(text, NULL, 10);
    close(TAKE_FD(confine->statm_fd));
    if (!sandbox_limits_address_space) {
        return 0;
    }
    limit.rlim_cur = n_pages * (unsigned long long)sysconf(_SC_PAGESIZE) + memory_mib * MIB;
    limit.rlim_max = limit.rlim_cur;
    return setrlimit(RLIMIT_AS, &limit) < 0 ? -errno : 0;
}

/* Stands in the one folder. */
static int enter_scratch(const struct host_options *options, uint32_t scratch, int *ret_fd)
{
    if (scratch >= options->n_scratch) {
        return -EINVAL;
    }
    *ret_fd = options->scratch_fd + (int)scratch;
    return fchdir(*ret_fd) < 0 ? -errno : 0;
}

/*
 * Closes whatever the zygote or its module left open: its channel to init, other slots' folders, a
 * file whose offset two workers would share.
 */
static int close_all_but(int one, int other)
{
    unsigned int low = (unsigned int)(one < other ? one : other);
    unsigned int high = (unsigned int)(one < other ? other : one);

    if (low > STDERR_FILENO + 1 && close_range(STDERR_FILENO + 1, low - 1, 0) < 0) {
        return -errno;
    }
    if (high > low + 1 && close_range(low + 1, high - 1, 0) < 0) {
        return -errno;
    }
    return close_range(high + 1, ~0u, 0) < 0 ? -errno : 0;
}

int confine_before_content(pid_t init, const struct host_options *options, uint32_t scratch,
                           int channel, int *ret_scratch_fd, const char **ret_step)
{
    struct landlock_rules rules = {.n_scratch = 1};
    int r;

    *ret_scratch_fd = -1;

    *ret_step = "dying with init";
    r = sandbox_die_with(init);
    if (r < 0) {
        return r;
    }
    if (options->n_scratch > 0) {
        *ret_step = "entering the scratch folder";
        r = enter_scratch(options, scratch, &rules.scratch_fd);
        if (r < 0) {
            return r;
        }
        *ret_scratch_fd = rules.scratch_fd;
    }
    *ret_step = "closing what is not its own";
    r = close_all_but(channel, options->n_scratch > 0 ? rules.scratch_fd : channel);
    if (r < 0) {
        return r;
    }
    /* A domain of its own: workers of one zygote cannot touch each other. */
    *ret_step = "landlock";
    if (options->n_scratch == 0) {
        r = sandbox_landlock_apply(NULL);
        if (r < 0) {
            return r;
        }
        *ret_step = "seccomp";
        return close_calls(&seccomp_profile_worker);
    }
    r = sandbox_landlock_apply(&rules);
    if (r != 0) {
        return r < 0 ? r : -ENOSYS;
    }
    *ret_step = "seccomp";
    return close_calls(&seccomp_profile_worker_scratch);
}

/* Once for each second of processor time, not for each scan: the limit has whole seconds only. */
void confine_processor_time(uint64_t used_us, uint64_t time_us)
{
    static struct rlimit limit; /* in force; a worker is a process of its own */
    uint64_t seconds;

    if (limit.rlim_max == 0 && getrlimit(RLIMIT_CPU, &limit) < 0) {
        return;
    }
    /* With room; the broker's deadline ends it long before. */
    seconds = time_us / 1000000u + used_us / 1000000u + 3;
    seconds = seconds < limit.rlim_max ? seconds : limit.rlim_max;
    if (seconds != limit.rlim_cur) {
        limit.rlim_cur = seconds;
        (void)setrlimit(RLIMIT_CPU, &limit);
    }
}
