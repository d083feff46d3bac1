/* Larger private memory goes onto huge pages, and what stands in it stays. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/huge_pages.h"
#include "sandbox/sandbox.h"
#include "testing.h"

#define N_BYTES (8u << 20)

/* KiB of this process on huge pages. */
static long huge_kib(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    char line[256];
    long kib = -1;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        (void)sscanf(line, "AnonHugePages: %ld kB", &kib);
    }
    fclose(file);
    return kib;
}

static void memory_is_collapsed_and_stays_what_it_was(void **state)
{
    uint8_t *bytes =
        mmap(NULL, N_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    long before;

    assert_true(bytes != MAP_FAILED && fd >= 0);
    assert_int_equal(madvise(bytes, N_BYTES, MADV_NOHUGEPAGE), 0);
    for (size_t i = 0; i < N_BYTES; i += 4096) {
        bytes[i] = (uint8_t)(i >> 12);
    }
    (void)madvise(bytes, N_BYTES, MADV_HUGEPAGE); /* no longer refused; nothing moves yet */
    before = huge_kib();
    huge_pages_collapse(fd);
    for (size_t i = 0; i < N_BYTES; i += 4096) {
        assert_int_equal(bytes[i], (uint8_t)(i >> 12));
    }
    close(fd);
    if (!sandbox_limits_address_space) {
        assert_int_equal(huge_kib(), before);
        skip_because("not with a sanitizer");
    }
    if (huge_kib() == before) {
        skip_because("this kernel has no huge pages, or cannot collapse memory");
    }
    assert_true(huge_kib() >= before + (long)(N_BYTES / 1024) - 2 * 2048);
}

/* Whatever stands in the file, or nothing at all. */
static void what_cannot_be_read_changes_nothing(void **state)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    huge_pages_collapse(fd);
    huge_pages_collapse(-1);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_collapsed_and_stays_what_it_was),
        cmocka_unit_test(what_cannot_be_read_changes_nothing),
    };

    return cmocka_run_group_tests_name("host/huge_pages", tests, NULL, NULL);
}
