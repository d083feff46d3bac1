/* Whose child a process is. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether the process of this folder in /proc is `root`, or descends from it. One whose parents
 * have ended has been adopted, by its namespace's first process or by the machine's, and descends
 * from that one from then on.
 */
bool ancestry_has(int folder, pid_t root);
