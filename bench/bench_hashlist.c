/*
 * How long a lookup in a compiled hash list takes, cold and warm; docs/providers/hashlist.md has
 * figures.
 *
 *   bench_hashlist make N > feed.txt     N hashes, the SHA-256 of 0 .. N-1 as eight bytes
 *   bench_hashlist look LIST N           lookups in a list made from that feed
 *
 * Cold: the pages of the list are dropped from the page cache, then each lookup is of another
 * digest. Half of the digests that are asked for are listed.
 */
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "providers/hashlist/list_file.h"

#define N_COLD 2000u
#define N_WARM 1000000u

static void digest_of(uint64_t number, uint8_t ret_digest[32])
{
    SHA256((const uint8_t *)&number, sizeof(number), ret_digest);
}

static int make(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint8_t digest[32];
        char line[96];
        size_t at = 0;

        digest_of(i, digest);
        for (size_t b = 0; b < sizeof(digest); b++) {
            at += (size_t)sprintf(line + at, "%02x", digest[b]);
        }
        sprintf(line + at, "  Family%llu.Variant%llu\n", (unsigned long long)(i % 1000),
                (unsigned long long)(i % 7));
        fputs(line, stdout);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

static double now_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Looks up n digests, every second of which is listed. */
static int look_up(const struct list_file *list, const char *how, uint64_t n_listed, size_t n)
{
    double *times = calloc(n, sizeof(*times));
    double sum = 0;
    size_t n_wrong = 0;

    if (!times) {
        return 1;
    }
    srandom(1);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = ((uint64_t)random() << 31 | (uint64_t)random()) % n_listed;
        struct list_hit hit;
        uint8_t digest[32];
        double start;

        digest_of(i % 2 ? number + n_listed : number, digest);
        start = now_us();
        n_wrong += list_file_find(list, LIST_SHA256, digest, &hit) < 0 ||
                   (hit.action == LIST_DENY) != (i % 2 == 0);
        times[i] = now_us() - start;
        sum += times[i];
    }
    qsort(times, n, sizeof(*times), compare);
    printf("%s: %zu lookups, mean %.2f us, p50 %.2f us, p99 %.2f us, max %.2f us, %zu wrong\n", how,
           n, sum / (double)n, times[n / 2], times[n - 1 - n / 100], times[n - 1], n_wrong);
    free(times);
    return n_wrong > 0;
}

static int look(const char *path, uint64_t n_listed)
{
    struct list_file list;
    char error[LIST_ERROR_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    double start;
    int r;

    if (fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) {
        perror(path);
        return 1;
    }
    close(fd);
    start = now_us();
    if (list_file_open(&list, path, error) < 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    printf("open: %.0f us, %llu bytes\n", now_us() - start,
           (unsigned long long)list.header.file_bytes);
    r = look_up(&list, "cold", n_listed, N_COLD);
    (void)list_file_verify(&list); /* reads all of it */
    r |= look_up(&list, "warm", n_listed, N_WARM);
    list_file_fini(&list);
    return r;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0) {
        return make(strtoull(argv[2], NULL, 10));
    }
    if (argc == 4 && strcmp(argv[1], "look") == 0 && strtoull(argv[3], NULL, 10) > 0) {
        return look(argv[2], strtoull(argv[3], NULL, 10));
    }
    fprintf(stderr, "usage: bench_hashlist make N > FEED\n"
                    "       bench_hashlist look LIST N\n");
    return 64;
}
