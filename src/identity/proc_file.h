/* Small files of a process's folder in /proc. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads one whole, terminated; its length, or -1 if it cannot be read or is longer. */
ssize_t proc_file_read(int folder, const char *name, char *buffer, size_t n_buffer);

/* A number of `stat`, by its field as proc(5) counts them: 1, or from 4 on; 0 if it cannot be
 * read. */
uint64_t proc_file_stat_number(int folder, int field);
