/*
 * Starts pes-host with nothing but what it needs: /dev/null, a pipe for stderr, its channel and the
 * module; no environment but one knob of malloc.
 *
 * That knob, glibc.malloc.hugetlb=1, puts the heap on huge pages: forking a zygote with 256 MiB of
 * definitions falls from 15 ms to under 1 ms. The pipe does not block its writers, so that a
 * provider that floods its log loses lines instead of time.
 */
#include "init/zygote_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sys/packet.h"

#define EXIT_NO_EXEC 127

/* name, fd, fd, memory, processes, definitions, three of scratch: two each; signals-open, trial,
 * program, NULL */
#define N_ARGS (2 * 9 + 4 + 2 * INIT_SETTINGS_MAX)

struct arguments {
    const char *list[N_ARGS];
    size_t n;
    char module_fd[16];
    char init_fd[16];
    char memory_mib[16];
    char n_processes[16];
    char scratch_fd[16];
    char n_scratch[24];
    char scratch_mib[16];
};

static void add(struct arguments *args, const char *name, const char *value)
{
    args->list[args->n++] = name;
    if (value) {
        args->list[args->n++] = value;
    }
}

static void make_arguments(struct arguments *args, const struct init_options *options, int channel,
                           uint32_t n_processes, bool has_pid_namespace,
                           const struct scratch *scratch)
{
    snprintf(args->module_fd, sizeof(args->module_fd), "%d", options->module_fd);
    snprintf(args->init_fd, sizeof(args->init_fd), "%d", channel);
    snprintf(args->memory_mib, sizeof(args->memory_mib), "%u", options->memory_mib);
    snprintf(args->n_processes, sizeof(args->n_processes), "%u", n_processes);
    add(args, "pes-host", NULL);
    add(args, "--name", options->name);
    add(args, "--module-fd", args->module_fd);
    add(args, "--init-fd", args->init_fd);
    add(args, "--memory-mib", args->memory_mib);
    add(args, "--processes", args->n_processes);
    if (options->definitions) {
        add(args, "--definitions", options->definitions);
    }
    for (size_t i = 0; i < options->n_settings; i++) {
        add(args, "--option", options->settings[i]);
    }
    if (!has_pid_namespace) {
        add(args, "--signals-open", NULL);
    }
    if (options->is_on_trial) {
        add(args, "--trial", NULL);
    }
    if (scratch->n_folders > 0) {
        snprintf(args->scratch_fd, sizeof(args->scratch_fd), "%d", SCRATCH_FD_FIRST);
        snprintf(args->n_scratch, sizeof(args->n_scratch), "%zu", scratch->n_folders);
        snprintf(args->scratch_mib, sizeof(args->scratch_mib), "%u", options->scratch_mib);
        add(args, "--scratch-fd", args->scratch_fd);
        add(args, "--scratch-folders", args->n_scratch);
        add(args, "--scratch-mib", args->scratch_mib);
    }
}

static int keep_across_exec(int fd)
{
    return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
}

/* In the child. Returns only when something went wrong. */
static void become_host(const struct init_options *options, struct arguments *args, pid_t init,
                        int channel, int log_fd, const struct scratch *scratch)
{
    static const char *const environment[] = {"GLIBC_TUNABLES=glibc.malloc.hugetlb=1", NULL};
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t none;

    sigemptyset(&none);
    if (sandbox_die_with(init) < 0 || null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
        dup2(null_fd, STDOUT_FILENO) < 0 || dup2(log_fd, STDERR_FILENO) < 0 ||
        keep_across_exec(channel) < 0 || keep_across_exec(options->module_fd) < 0) {
        return;
    }
    for (size_t i = 0; i < scratch->n_folders; i++) {
        if (keep_across_exec(SCRATCH_FD_FIRST + (int)i) < 0) {
            return;
        }
    }
    signal(SIGPIPE, SIG_DFL);
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) {
        return;
    }
    execveat(options->host_fd, "", (char *const *)(uintptr_t)args->list,
             (char *const *)(uintptr_t)environment, AT_EMPTY_PATH);
}

int zygote_process_start(struct zygote_process *ret_zygote, const struct init_options *options,
                         uint32_t n_processes, bool has_pid_namespace,
                         const struct scratch *scratch)
{
    CLEANUP(closep) int ours = -1;
    CLEANUP(closep) int theirs = -1;
    CLEANUP(closep) int log_in = -1;
    CLEANUP(closep) int log_out = -1;
    struct arguments args = {.n = 0};
    int channel[2];
    int log[2];
    pid_t init = getpid();
    pid_t pid;
    int r;

    r = packet_pair(channel);
    if (r < 0) {
        return r;
    }
    ours = channel[0];
    theirs = channel[1];
    if (pipe2(log, O_CLOEXEC | O_NONBLOCK) < 0) {
        return -errno;
    }
    log_out = log[0];
    log_in = log[1];
    make_arguments(&args, options, theirs, n_processes, has_pid_namespace, scratch);
    pid = fork();
    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        become_host(options, &args, init, theirs, log_in, scratch);
        _exit(EXIT_NO_EXEC);
    }
    *ret_zygote = (struct zygote_process){
        .pid = pid,
        .channel = TAKE_FD(ours),
        .log_fd = TAKE_FD(log_out),
    };
    return 0;
}
