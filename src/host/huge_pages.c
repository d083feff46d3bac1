/*
 * Collapses what a module has loaded into huge pages.
 *
 * A fork copies the page tables of all private memory: with 600 MiB of definitions on small pages
 * that takes tens of milliseconds, in which nobody gets a worker; on huge pages less than one. The
 * heap is there already (glibc.malloc.hugetlb, init/zygote_process.c), but engines with an
 * allocator of their own (libclamav's pools) map their memory themselves.
 *
 * MADV_COLLAPSE (Linux 6.1) does it at once and whatever the system-wide setting; older kernels say
 * EINVAL, and all stays as it is. It takes some milliseconds for each huge page on a busy machine,
 * once per generation and before it serves. A page that was used in part only becomes a whole one,
 * so mappings that hold less than one are left alone.
 *
 * Not in builds with a sanitizer, whose shadow memory would be taken for definitions.
 */
#include "host/huge_pages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define HUGE_BYTES (2ull << 20)
#define N_TRIES    3
#define MAPS_BYTES (256u << 10) /* some 3000 mappings; the rest would be left alone */

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static size_t maps_read(int fd, char *text, size_t n_text)
{
    size_t n = 0;
    ssize_t r;

    while (n < n_text - 1 && (r = pread(fd, text + n, n_text - 1 - n, (off_t)n)) > 0) {
        n += (size_t)r;
    }
    text[n] = '\0';
    return n;
}

/* Writable, private and of no file. */
static bool line_read(const char *line, uint64_t *ret_start, uint64_t *ret_end)
{
    char permissions[5];
    uint64_t inode;

    return sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64, ret_start, ret_end,
                  permissions, &inode) == 4 &&
           strcmp(permissions, "rw-p") == 0 && inode == 0 && !strstr(line, "[stack]");
}

static void line_collapse(const char *line)
{
    uint64_t start;
    uint64_t end;

    if (!line_read(line, &start, &end)) {
        return;
    }
    start = (start + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
    end &= ~(HUGE_BYTES - 1);
    if (start >= end) {
        return;
    }
    for (int i = 0; i < N_TRIES; i++) {
        /* EAGAIN: some page was being looked at just then. What is collapsed already is skipped. */
        if (madvise((void *)(uintptr_t)start, end - start, MADV_COLLAPSE) == 0 || errno != EAGAIN) {
            return;
        }
    }
}

void huge_pages_collapse(int maps_fd)
{
    static char text[MAPS_BYTES];
    char *rest = text;
    char *line;

    if (!sandbox_limits_address_space || maps_read(maps_fd, text, sizeof(text)) == 0) {
        return;
    }
    while ((line = strsep(&rest, "\n"))) {
        line_collapse(line);
    }
}
