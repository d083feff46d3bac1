/* Items: everything that was named comes once, and what cannot be read says why. */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/item_count.h"
#include "cli/items.h"
#include "testing.h"

static char folder[] = "/tmp/pes-items-XXXXXX";

static int make_folder(void **state)
{
    if (!mkdtemp(folder) || chdir(folder) < 0) {
        return -1;
    }
    return 0;
}

static int remove_folder(void **state)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf -- '%s'", folder);
    return chdir("/") < 0 || system(command) != 0;
}

static void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

struct links {
    size_t n;
    char last[64];
};

static void count_link(const char *path, void *userdata)
{
    struct links *links = userdata;

    links->n++;
    snprintf(links->last, sizeof(links->last), "%s", path);
}

static struct items *items_of(const char *const *paths, size_t n_paths, bool is_recursive,
                              enum items_split split, struct links *links)
{
    struct items_options options = {
        .paths = (char *const *)paths,
        .n_paths = n_paths,
        .is_recursive = is_recursive,
        .split = split,
        .on_link = links ? count_link : NULL,
        .userdata = links,
    };
    struct items *items = NULL;

    assert_int_equal(items_new(&items, &options), 0);
    return items;
}

/* The next item must have this name, and this problem or (NULL) none. */
static void expect_item(struct items *items, const char *name, const char *problem)
{
    CLEANUP(item_fini) struct item item = ITEM_INIT;

    assert_int_equal(items_next(items, &item), 0);
    assert_string_equal(item.name, name);
    if (problem) {
        assert_non_null(item.problem);
        assert_non_null(strstr(item.problem, problem));
        assert_int_equal(item.fd, -1);
    } else {
        assert_null(item.problem);
    }
}

static void expect_end(struct items *items)
{
    CLEANUP(item_fini) struct item item = ITEM_INIT;

    assert_int_equal(items_next(items, &item), ITEMS_E_END);
    items_free(items);
}

static void what_cannot_be_scanned_is_named_and_the_rest_goes_on(void **state)
{
    static const char *const paths[] = {"missing",   "good",   "fifo",     "socket",
                                        "/dev/null", "folder", "dangling", "link"};
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct items *items;

    put_file("good", "x");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
    close(s);
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(symlink("good", "link"), 0);

    items = items_of(paths, 8, false, ITEMS_WHOLE, NULL);
    expect_item(items, "missing", "No such file");
    expect_item(items, "good", NULL);
    expect_item(items, "fifo", "is a FIFO");
    expect_item(items, "socket", "is a socket");
    expect_item(items, "/dev/null", "is a device");
    expect_item(items, "folder", "add -r");
    expect_item(items, "dangling", "No such file");
    expect_item(items, "link", NULL); /* an argument may be a link */
    expect_end(items);
}

static void a_folder_is_walked_in_order_and_links_in_it_are_not_followed(void **state)
{
    static const char *const paths[] = {"tree/", "tree/b"};
    struct links links = {.n = 0};
    struct items *items;

    assert_int_equal(mkdir("tree", 0700), 0);
    assert_int_equal(mkdir("tree/a", 0700), 0);
    assert_int_equal(mkdir("tree/a/empty", 0700), 0);
    put_file("tree/a/2", "x");
    put_file("tree/a/1", "x");
    put_file("tree/b", "x");
    assert_int_equal(mkfifo("tree/fifo", 0600), 0);
    assert_int_equal(symlink("..", "tree/loop"), 0);

    items = items_of(paths, 2, true, ITEMS_WHOLE, &links);
    expect_item(items, "tree/a/1", NULL);
    expect_item(items, "tree/a/2", NULL);
    expect_item(items, "tree/b", NULL);
    expect_item(items, "tree/fifo", "is a FIFO");
    expect_item(items, "tree/b", NULL);
    expect_end(items);
    assert_int_equal(links.n, 1);
    assert_string_equal(links.last, "tree/loop");
}

static void a_tree_deeper_than_a_path_may_be_long_is_walked_to_its_end(void **state)
{
    static const char *const paths[] = {"deep"};
    CLEANUP(item_fini) struct item item = ITEM_INIT;
    char name[201];
    struct items *items;
    int at = AT_FDCWD;

    memset(name, 'd', 200);
    name[200] = '\0';
    assert_int_equal(mkdir("deep", 0700), 0);
    at = open("deep", O_PATH | O_CLOEXEC);
    for (int i = 0; i < 30; i++) {
        int below;

        assert_int_equal(mkdirat(at, name, 0700), 0);
        below = openat(at, name, O_PATH | O_CLOEXEC);
        assert_true(below >= 0);
        close(at);
        at = below;
    }
    close(openat(at, "leaf", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    close(at);

    items = items_of(paths, 1, true, ITEMS_WHOLE, NULL);
    assert_int_equal(items_next(items, &item), 0);
    assert_null(item.problem);
    assert_true(strlen(item.name) > 4096);
    assert_true(item.fd >= 0);
    expect_end(items);
}

static void lines_of_files_carry_their_number_and_their_bytes(void **state)
{
    static const char *const paths[] = {"lines", "missing", "lines"};
    CLEANUP(item_fini) struct item item = ITEM_INIT;
    struct items *items;

    put_file("lines", "one\ntwo");
    items = items_of(paths, 3, false, ITEMS_LINES, NULL);
    assert_int_equal(items_next(items, &item), 0);
    assert_int_equal(item.ordinal, 1);
    assert_int_equal(item.n_bytes, 3);
    assert_memory_equal(item.bytes, "one", 3);
    item_fini(&item);
    assert_int_equal(items_next(items, &item), 0);
    assert_int_equal(item.ordinal, 2);
    expect_item(items, "missing", "No such file");
    item_fini(&item);
    assert_int_equal(items_next(items, &item), 0);
    assert_int_equal(item.ordinal, 1);
    item_fini(&item);
    assert_int_equal(items_next(items, &item), 0);
    expect_end(items);
}

static void a_file_that_only_says_it_is_empty_is_read_all_the_same(void **state)
{
    static const char *const paths[] = {"/proc/self/status", "empty"};
    CLEANUP(item_fini) struct item item = ITEM_INIT;
    struct items *items;

    put_file("empty", "");
    items = items_of(paths, 2, false, ITEMS_WHOLE, NULL);
    assert_int_equal(items_next(items, &item), 0);
    assert_true(item.full_size > 0);
    assert_true(item.is_copy);
    item_fini(&item);
    assert_int_equal(items_next(items, &item), 0);
    assert_string_equal(item.name, "empty");
    assert_int_equal(item.full_size, 0);
    assert_true(item.fd >= 0);
    expect_end(items);
}

/* Files below /sys state a size that is not theirs. */
static void a_file_that_states_another_size_than_it_has_is_read_all_the_same(void **state)
{
    static const char *const paths[] = {"/sys/devices/system/cpu/online"};
    CLEANUP(item_fini) struct item item = ITEM_INIT;
    struct items *items;
    struct stat st;

    if (stat(paths[0], &st) < 0 || st.st_size == 0) {
        skip_because("there is no such file here");
    }
    items = items_of(paths, 1, false, ITEMS_WHOLE, NULL);
    assert_int_equal(items_next(items, &item), 0);
    assert_null(item.problem);
    assert_true(item.is_copy && item.full_size > 0);
    assert_int_not_equal(item.full_size, st.st_size);
    expect_end(items);
}

static bool is_nothing_to_read;

/* In libc's place: what lines.c and spool.c ask before they read. */
int poll(struct pollfd *fds, nfds_t n_fds, int timeout_ms)
{
    struct timespec timeout = {.tv_sec = timeout_ms / 1000};

    return is_nothing_to_read ? 0 : ppoll(fds, n_fds, timeout_ms < 0 ? NULL : &timeout, NULL);
}

/* As /proc/kmsg: a regular file that has more only when something happens. */
static void a_file_is_not_waited_for(void **state)
{
    static const char *const paths[] = {"/proc/self/status", "waiting"};
    struct items *items;

    put_file("waiting", "x");
    is_nothing_to_read = true;
    for (int split = ITEMS_WHOLE; split <= ITEMS_LINES; split++) {
        items = items_of(paths, split == ITEMS_WHOLE ? 1 : 2, false, split, NULL);
        expect_item(items, paths[0], "only standard input is waited for");
        if (split == ITEMS_LINES) {
            expect_item(items, paths[1], "only standard input is waited for");
        }
        expect_end(items);
    }
    is_nothing_to_read = false;
}

static void a_count_beside_the_walk_agrees_with_it(void **state)
{
    char *paths[] = {(char *)"counted", (char *)"missing", (char *)"counted/a/1"};
    struct item_count count;

    assert_int_equal(mkdir("counted", 0700), 0);
    assert_int_equal(mkdir("counted/a", 0700), 0);
    put_file("counted/a/1", "x");
    put_file("counted/2", "x");
    assert_int_equal(symlink("2", "counted/link"), 0);

    item_count_init(&count, paths, 3, true);
    item_count_step(&count, 1);
    assert_false(count.is_complete);
    item_count_step(&count, 100);
    assert_true(count.is_complete);
    assert_int_equal(count.n_items, 4);
    item_count_fini(&count);

    item_count_init(&count, paths, 3, false);
    item_count_step(&count, 100);
    assert_int_equal(count.n_items, 3);
    item_count_fini(&count);

    item_count_init(&count, paths, 3, true);
    item_count_step(&count, 2); /* left in the middle of a folder */
    item_count_fini(&count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_scanned_is_named_and_the_rest_goes_on),
        cmocka_unit_test(a_folder_is_walked_in_order_and_links_in_it_are_not_followed),
        cmocka_unit_test(a_tree_deeper_than_a_path_may_be_long_is_walked_to_its_end),
        cmocka_unit_test(lines_of_files_carry_their_number_and_their_bytes),
        cmocka_unit_test(a_file_that_only_says_it_is_empty_is_read_all_the_same),
        cmocka_unit_test(a_file_that_states_another_size_than_it_has_is_read_all_the_same),
        cmocka_unit_test(a_file_is_not_waited_for),
        cmocka_unit_test(a_count_beside_the_walk_agrees_with_it),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
