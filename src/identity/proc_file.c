/*
 * Small files of a process's folder in /proc.
 *
 * They are read through the folder, which stays with its process: once that has ended, nothing can
 * be read, whoever has got its number since.
 */
#include "identity/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

ssize_t proc_file_read(int folder, const char *name, char *buffer, size_t n_buffer)
{
    CLEANUP(closep) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    size_t n = 0;

    if (fd < 0) {
        return -1;
    }
    while (n < n_buffer) {
        ssize_t got = read(fd, buffer + n, n_buffer - n);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        n += (size_t)got;
    }
    if (n == n_buffer) {
        return -1;
    }
    buffer[n] = '\0';
    return (ssize_t)n;
}

/* The second field is the program's name, in brackets, and may hold anything. */
uint64_t proc_file_stat_number(int folder, int field)
{
    char text[1024];
    const char *at;

    if (proc_file_read(folder, "stat", text, sizeof(text)) < 0) {
        return 0;
    }
    if (field == 1) {
        return strtoull(text, NULL, 10);
    }
    at = strrchr(text, ')');
    for (int i = 2; at && i < field; i++) {
        at = strchr(at + 1, ' ');
    }
    return at ? strtoull(at + 1, NULL, 10) : 0;
}
