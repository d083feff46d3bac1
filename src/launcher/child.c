/*
 * Processes that the launcher started, as sources of its event loop.
 *
 * Each is known by a pidfd, so that no signal can reach a stranger that got its number. Whoever
 * gives a running one up need not wait for its end: it is killed at once and reaped by the loop.
 */
#include "launcher/child.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/signal_name.h"

struct child {
    sd_event_source *source;
    int pidfd;
    bool has_ended;
    child_exit_fn on_exit; /* NULL: given up, free it when it has ended */
    void *userdata;
};

static void destroy(struct child *child)
{
    sd_event_source_disable_unref(child->source);
    closep(&child->pidfd);
    free(child);
}

static int on_event(sd_event_source *source, const siginfo_t *info, void *userdata)
{
    struct child *child = userdata;

    child->has_ended = true;
    if (child->on_exit) {
        child->on_exit(child->userdata, info);
    } else {
        destroy(child);
    }
    return 0;
}

int child_new(struct child **ret, sd_event *event, const struct spawn *spawn, child_exit_fn on_exit,
              void *userdata, const char **ret_step)
{
    struct child *child = calloc(1, sizeof(*child));
    pid_t pid;
    int r;

    *ret_step = "remembering it";
    if (!child) {
        return -ENOMEM;
    }
    child->pidfd = -1;
    child->on_exit = on_exit;
    child->userdata = userdata;
    r = spawn_start(spawn, &pid, &child->pidfd, ret_step);
    if (r < 0) {
        destroy(child);
        return r;
    }
    *ret_step = "watching it";
    r = sd_event_add_child_pidfd(event, &child->source, child->pidfd, WEXITED, on_event, child);
    if (r < 0) {
        (void)kill(pid, SIGKILL); /* not reaped yet: the pid is still its own */
        (void)waitpid(pid, NULL, 0);
        destroy(child);
        return r;
    }
    /* After everything else: what it still said before its end is read first. */
    (void)sd_event_source_set_priority(child->source, SD_EVENT_PRIORITY_IDLE);
    *ret = child;
    return 0;
}

void child_free(struct child *child)
{
    if (!child) {
        return;
    }
    if (child->has_ended) {
        destroy(child);
        return;
    }
    child->on_exit = NULL;
    child_kill(child, SIGKILL);
}

void child_kill(const struct child *child, int signo)
{
    if (child && !child->has_ended) {
        /* ESRCH: it has ended, and its exit event is under way. */
        (void)syscall(SYS_pidfd_send_signal, child->pidfd, signo, NULL, 0);
    }
}

const char *child_end_text(const siginfo_t *info, char buffer[CHILD_END_BYTES])
{
    if (info->si_code == CLD_EXITED) {
        snprintf(buffer, CHILD_END_BYTES, "ended with status %d", info->si_status);
    } else {
        snprintf(buffer, CHILD_END_BYTES, "ended by %s", signal_name(info->si_status));
    }
    return buffer;
}
