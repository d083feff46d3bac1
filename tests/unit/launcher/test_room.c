/* How much memory there is, from files as the kernel writes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/room.h"
#include "testing.h"

#define GIB (UINT64_C(1) << 30)

/* Writes `text` to a file below a new root, with its folders. */
static void put(const char *root, const char *path, const char *text)
{
    char command[512];
    char name[256];
    FILE *file;

    snprintf(name, sizeof(name), "%s/%s", root, path);
    snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"", name);
    assert_int_equal(system(command), 0);
    file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void make_root(char root[64])
{
    strcpy(root, "/tmp/pes-room.XXXXXX");
    assert_non_null(mkdtemp(root));
    put(root, "proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    8388608 kB\n");
}

static void remove_root(const char *root)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -r '%s'", root);
    assert_int_equal(system(command), 0);
}

static void the_least_of_machine_and_groups_counts(void **state)
{
    char root[64];

    make_root(root);
    assert_int_equal(room_available_bytes(root), 8 * GIB);
    put(root, "proc/self/cgroup", "0::/a.slice/b\n");
    put(root, "sys/fs/cgroup/a.slice/b/memory.max", "max\n");
    assert_int_equal(room_available_bytes(root), 8 * GIB);
    put(root, "sys/fs/cgroup/a.slice/memory.max", "4294967296\n");
    put(root, "sys/fs/cgroup/a.slice/memory.current", "3221225472\n");
    put(root, "sys/fs/cgroup/a.slice/memory.stat", "anon 7\ninactive_file 1073741824\n");
    assert_int_equal(room_available_bytes(root),
                     2 * GIB); /* what is above counts, files are free */
    put(root, "proc/self/cgroup", "5:cpu:/\n4:memory:/c\n0::/a.slice/b\n");
    put(root, "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "1073741824\n");
    put(root, "sys/fs/cgroup/memory/c/memory.usage_in_bytes", "2073741824\n");
    assert_int_equal(room_available_bytes(root), 0);
    remove_root(root);
    assert_true(room_available_bytes(root) == ROOM_UNLIMITED); /* nothing can be read any more */
}

static void a_quarter_more_has_to_be_free(void **state)
{
    assert_true(room_is_enough(4 * GIB, 5 * GIB));
    assert_false(room_is_enough(4 * GIB, 5 * GIB - 1));
    assert_true(room_is_enough(0, 0));
}

static void a_process_takes_what_it_wrote(void **state)
{
    uint64_t before = room_taken_bytes(getpid());
    volatile char *memory = malloc(64u << 20);

    assert_non_null(memory);
    assert_true(before > 0);
    for (size_t i = 0; i < 64u << 20; i += 1024) {
        memory[i] = 1;
    }
    assert_true(room_taken_bytes(getpid()) >= before + (60u << 20));
    free((void *)(uintptr_t)memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_of_machine_and_groups_counts),
        cmocka_unit_test(a_quarter_more_has_to_be_free),
        cmocka_unit_test(a_process_takes_what_it_wrote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
