/*
 * Collects exits. Init is the parent of zygote and workers alike, so this is the truth about how
 * each of them ended, whatever anybody says.
 *
 * Known processes are waited for one by one. A pid stays taken until it is waited for, so killing
 * by pid can never hit another process. An unknown child (a worker whose pid the zygote has yet to
 * name, or one that it forked for itself) is collected only while no answer of the zygote is
 * outstanding.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pes/enums.h>

#include "base/signal_name.h"
#include "init/init.h"

static const char *const phase_texts[] = {
    [ZYGOTE_STARTING] = "starting",
    [ZYGOTE_LOADING_MODULE] = "loading the module",
    [ZYGOTE_LOADING_DEFINITIONS] = "loading definitions",
    [ZYGOTE_SELF_TEST] = "testing itself",
    [ZYGOTE_SERVING] = "serving",
};

static uint64_t timeval_us(const struct timeval *tv)
{
    return (uint64_t)tv->tv_sec * 1000000u + (uint64_t)tv->tv_usec;
}

static uint32_t limit_of_signal(int signo)
{
    switch (signo) {
    case SIGXCPU:
        return PES_LIMIT_CPU;
    case SIGXFSZ:
        return PES_LIMIT_FILE_SIZE;
    case SIGSYS:
        return PES_LIMIT_SYSCALL;
    default:
        return PES_LIMIT_NONE;
    }
}

static void worker_exited(struct init *init, struct slot *slot, int status,
                          const struct rusage *usage)
{
    struct init_event event = {
        .type = INIT_EXITED,
        .slot = slot_table_number(&init->slots, slot),
        .generation = slot->generation,
        .how = INIT_EXIT_STATUS,
        .value = WEXITSTATUS(status),
        .cpu_us = timeval_us(&usage->ru_utime) + timeval_us(&usage->ru_stime),
        .rss_kib = (uint64_t)usage->ru_maxrss,
    };
    bool is_unannounced = slot->is_unannounced;
    int r;

    if (WIFSIGNALED(status)) {
        event.how = INIT_EXIT_SIGNAL;
        event.value = WTERMSIG(status);
        event.limit = limit_of_signal(WTERMSIG(status));
    }
    *slot = (struct slot){.state = SLOT_FREE};
    r = scratch_wipe(&init->scratch, event.slot);
    if (r < 0) {
        /* The next worker here would find what this one left. */
        init_fail(init, "the scratch folder of a worker cannot be emptied");
        return;
    }
    if (!is_unannounced) {
        broker_link_tell_worker(init, &event);
    }
}

static void zygote_exited(struct init *init, int status)
{
    const char *phase;
    char text[256];

    init->zygote.pid = -1;
    zygote_link_step(init); /* its last words say more than its exit */
    if (init->is_ending) {
        return;
    }
    phase = phase_texts[init->phase];
    if (WIFSIGNALED(status)) {
        snprintf(text, sizeof(text), "died by %s while %s%s", signal_name(WTERMSIG(status)), phase,
                 WTERMSIG(status) == SIGSYS ? ": a system call that the sandbox forbids" : "");
    } else if (WEXITSTATUS(status) == 127 && init->phase == ZYGOTE_STARTING) {
        snprintf(text, sizeof(text), "pes-host cannot be executed");
    } else {
        snprintf(text, sizeof(text), "ended with exit status %d while %s", WEXITSTATUS(status),
                 phase);
    }
    init_fail(init, text);
}

static bool reap(pid_t pid, int *ret_status, struct rusage *ret_usage)
{
    pid_t r;

    do {
        r = wait4(pid, ret_status, WNOHANG, ret_usage);
    } while (r < 0 && errno == EINTR);
    return r == pid;
}

static bool is_known(const struct init *init, pid_t pid)
{
    return pid == init->zygote.pid || pid == init->trial ||
           slot_table_by_pid((struct slot_table *)&init->slots, pid);
}

/* Children that nobody asked for. */
static void reap_strays(struct init *init)
{
    siginfo_t info;

    if (init->phase != ZYGOTE_SERVING || slot_table_fork_by_us(&init->slots) != UINT64_MAX) {
        return;
    }
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
            is_known(init, info.si_pid)) {
            return; /* a known one has died just now: there is a signal for it */
        }
        (void)waitpid(info.si_pid, NULL, WNOHANG);
    }
}

void reaper_step(struct init *init)
{
    struct rusage usage;
    int status;

    for (size_t i = 0; i < init->slots.n_slots; i++) {
        struct slot *slot = &init->slots.slots[i];

        if (slot->state == SLOT_LIVE && reap(slot->pid, &status, &usage)) {
            worker_exited(init, slot, status, &usage);
        }
    }
    if (init->is_ready && init->trial > 0 && reap(init->trial, &status, &usage)) {
        init->trial = -1;
    }
    if (init->zygote.pid > 0 && reap(init->zygote.pid, &status, &usage)) {
        zygote_exited(init, status);
        return;
    }
    reap_strays(init);
}

static void kill_known(struct init *init)
{
    for (size_t i = 0; i < init->slots.n_slots; i++) {
        if (init->slots.slots[i].state == SLOT_LIVE) {
            kill(init->slots.slots[i].pid, SIGKILL);
        }
    }
    if (init->trial > 0) {
        kill(init->trial, SIGKILL);
    }
    if (init->zygote.pid > 0) {
        kill(init->zygote.pid, SIGKILL);
    }
}

/* Kills those at the head of the list of children and collects them; false when there are none. */
static bool kill_listed(int list)
{
    char text[1024];
    ssize_t n = pread(list, text, sizeof(text) - 1, 0);
    char *at = text;
    char *end;

    text[n > 0 ? n : 0] = '\0';
    if (n == (ssize_t)sizeof(text) - 1) {
        *strrchr(text, ' ') = '\0'; /* the last number may be cut; the next round sees it whole */
    }
    for (pid_t pid; (pid = (pid_t)strtol(at, &end, 10)) > 0 && end != at; at = end) {
        kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    return at != text;
}

void reaper_kill_all(struct init *init)
{
    kill_known(init); /* the zygote first: whatever else there is, no more is made */
    while (init->children >= 0 && kill_listed(init->children)) {
    }
}
