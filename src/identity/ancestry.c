/*
 * Whose child a process is: up from parent to parent.
 *
 * A parent is known by its number, which may be another's by the time that its folder is open. So
 * the child is asked again after that: a process gets another parent only when its own ends, and so
 * the number was that of its parent all the while.
 */
#include "identity/ancestry.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "identity/proc_file.h"

/* Deeper than any tree of people or service managers. One that is deeper is nobody's. */
#define DEPTH_MAX 256
#define TRIES_MAX 3

#define FIELD_PARENT 4

/* Opens the folder of the parent; its number, or 0 when there is none to be seen. */
static pid_t open_parent(int folder, int *ret_folder)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        CLEANUP(closep) int parent = -1;
        pid_t pid = (pid_t)proc_file_stat_number(folder, FIELD_PARENT);
        char name[32];

        if (pid <= 0) {
            return 0;
        }
        snprintf(name, sizeof(name), "/proc/%d", pid);
        parent = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parent >= 0 && (pid_t)proc_file_stat_number(folder, FIELD_PARENT) == pid) {
            *ret_folder = TAKE_FD(parent);
            return pid;
        }
    }
    return 0;
}

bool ancestry_has(int folder, pid_t root)
{
    CLEANUP(closep) int at = openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    pid_t pid = (pid_t)proc_file_stat_number(folder, 1);

    for (int depth = 0; at >= 0 && depth < DEPTH_MAX; depth++) {
        int parent = -1;

        if (pid == root) {
            return true;
        }
        pid = open_parent(at, &parent);
        closep(&at);
        at = parent;
    }
    return false;
}
