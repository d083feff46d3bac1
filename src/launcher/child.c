/*
 * Processes that the launcher started, as sources of its event loop.
 *
 * Each is known by a pidfd, so that no signal can reach a stranger that got its number. Whoever
 * gives a running one up need not wait for its end: it is killed at once and reaped by the loop.
 *
 * In system mode a child is another user. Instead of the right to signal everybody (CAP_KILL),
 * which the service's unit takes away, the launcher uses the one that it needs anyway: for the time
 * of the call it is that user itself. Nobody can use the moment, as its real and saved uid stay.
 */
#include "launcher/child.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signal_name.h"
#include "log/log.h"

struct child {
    sd_event_source *source;
    int pidfd;
    pid_t pid;
    bool is_other_user;
    uid_t uid; /* whom it runs as, if that is another user */
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
    child->is_other_user = spawn->sets_user && spawn->uid != geteuid();
    child->uid = spawn->uid;
    child->on_exit = on_exit;
    child->userdata = userdata;
    r = spawn_start(spawn, &pid, &child->pidfd, ret_step);
    if (r < 0) {
        destroy(child);
        return r;
    }
    child->pid = pid;
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

pid_t child_pid(const struct child *child)
{
    return child->pid;
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

static int send_signal(const struct child *child, int signo)
{
    return syscall(SYS_pidfd_send_signal, child->pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

/* As the child's own user, who may signal it without any capability (kill(2)). */
static int send_signal_as(const struct child *child, int signo)
{
    uid_t self = geteuid();
    int r;

    if (seteuid(child->uid) < 0) {
        return -errno;
    }
    r = send_signal(child, signo);
    if (seteuid(self) < 0) {
        abort(); /* it may always; to go on as somebody else would be worse than to end */
    }
    return r;
}

void child_kill(const struct child *child, int signo)
{
    int r;

    if (!child || child->has_ended) {
        return;
    }
    r = child->is_other_user ? send_signal_as(child, signo) : send_signal(child, signo);
    if (r < 0 && r != -ESRCH) { /* ESRCH: it has ended, and its exit event is under way */
        log_event(LOG_ERR, EV_INTERNAL, "a process of ours cannot be ended: %s", strerror(-r));
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
