/* A process of ours that runs: started, watched, ended. */
#pragma once

#include <signal.h>
#include <systemd/sd-event.h>

#include "launcher/spawn.h"

struct child;

/* It has ended; the child is still the owner's to free. */
typedef void (*child_exit_fn)(void *userdata, const siginfo_t *info);

/* Starts it; `on_exit` is called once. Returns 0, or -errno with `ret_step` as spawn_start()
 * does. */
MUST_CHECK int child_new(struct child **ret, sd_event *event, const struct spawn *spawn,
                         child_exit_fn on_exit, void *userdata, const char **ret_step);

/* Forgets it. One that still runs is killed, and reaped when it has ended. */
void child_free(struct child *child);

/* Sends a signal, if it still runs; NULL is fine. */
void child_kill(const struct child *child, int signo);

/* Its pid: its own for as long as it was not reaped, so until on_exit was called. */
pid_t child_pid(const struct child *child);

#define CHILD_END_BYTES 64

/* How a process ended, such as "ended by SIGSEGV" or "ended with status 1"; returns `buffer`. */
const char *child_end_text(const siginfo_t *info, char buffer[CHILD_END_BYTES]);
