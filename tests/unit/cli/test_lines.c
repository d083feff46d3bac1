/* Lines: complete ones, in order, without waiting and without a bound in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/lines.h"
#include "testing.h"

static int file_of(const void *bytes, size_t n_bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n_bytes), (ssize_t)n_bytes);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void expect_line(struct lines *lines, const char *text, size_t n_text)
{
    const char *bytes = NULL;
    size_t n_bytes = 0;

    assert_int_equal(lines_next(lines, &bytes, &n_bytes), 0);
    assert_int_equal(n_bytes, n_text);
    assert_memory_equal(bytes, text, n_text);
}

static void expect(struct lines *lines, int outcome)
{
    const char *bytes = NULL;
    size_t n_bytes = 0;

    assert_int_equal(lines_next(lines, &bytes, &n_bytes), outcome);
}

static void each_line_comes_once_and_the_last_needs_no_newline(void **state)
{
    static const char text[] = "one\n\ntwo\r\nzero\0byte\nlast";
    struct lines lines;

    lines_init(&lines, file_of(text, sizeof(text) - 1), '\n', 100);
    expect_line(&lines, "one", 3);
    expect_line(&lines, "", 0);
    expect_line(&lines, "two\r", 4);
    expect_line(&lines, "zero\0byte", 9);
    expect_line(&lines, "last", 4);
    assert_int_equal(lines.ordinal, 5);
    expect(&lines, LINES_E_END);
    expect(&lines, LINES_E_END);
    lines_fini(&lines);
}

static void an_empty_stream_has_no_line_and_a_lone_newline_has_one(void **state)
{
    struct lines lines;

    lines_init(&lines, file_of("", 0), '\n', 100);
    expect(&lines, LINES_E_END);
    lines_fini(&lines);
    lines_init(&lines, file_of("\n", 1), '\n', 100);
    expect_line(&lines, "", 0);
    expect(&lines, LINES_E_END);
    lines_fini(&lines);
}

static void items_may_end_in_a_zero_byte_instead(void **state)
{
    struct lines lines;

    lines_init(&lines, file_of("a\nb\0c", 5), '\0', 100);
    expect_line(&lines, "a\nb", 3);
    expect_line(&lines, "c", 1);
    expect(&lines, LINES_E_END);
    lines_fini(&lines);
}

static void a_line_above_the_limit_is_told_as_such_and_the_next_is_whole(void **state)
{
    size_t n = 300 * 1024;
    char *text = malloc(n + 8);
    struct lines lines;
    const char *bytes = NULL;
    size_t n_bytes = 0;

    assert_non_null(text);
    memset(text, 'x', n);
    memcpy(text + n, "\nshort\n", 8);
    lines_init(&lines, file_of(text, n + 7), '\n', 100);
    assert_int_equal(lines_next(&lines, &bytes, &n_bytes), LINES_E_TOO_LONG);
    assert_int_equal(n_bytes, n);
    expect_line(&lines, "short", 5);
    expect(&lines, LINES_E_END);
    /* The long line was never held. */
    assert_true(lines.n_allocated <= 256 * 1024);
    lines_fini(&lines);
    free(text);
}

static void a_line_of_exactly_the_limit_is_a_line_and_one_more_byte_is_not(void **state)
{
    struct lines lines;
    const char *bytes = NULL;
    size_t n_bytes = 0;

    lines_init(&lines, file_of("aaaa\nbbbbb", 10), '\n', 4);
    expect_line(&lines, "aaaa", 4);
    assert_int_equal(lines_next(&lines, &bytes, &n_bytes), LINES_E_TOO_LONG);
    assert_int_equal(n_bytes, 5);
    expect(&lines, LINES_E_END);
    lines_fini(&lines);
}

static void a_line_longer_than_one_read_is_put_together(void **state)
{
    size_t n = 500 * 1024;
    char *text = malloc(2 * n + 2);
    struct lines lines;

    assert_non_null(text);
    memset(text, 'y', n);
    text[n] = '\n';
    memset(text + n + 1, 'z', n);
    lines_init(&lines, file_of(text, 2 * n + 1), '\n', 1024 * 1024);
    expect_line(&lines, text, n);
    expect_line(&lines, text + n + 1, n);
    expect(&lines, LINES_E_END);
    lines_fini(&lines);
    free(text);
}

static void a_pipe_with_half_a_line_makes_nobody_wait(void **state)
{
    int fds[2];
    struct lines lines;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    lines_init(&lines, fds[0], '\n', 100);
    expect(&lines, LINES_E_WAIT);
    assert_int_equal(write(fds[1], "ha", 2), 2);
    expect(&lines, LINES_E_WAIT);
    assert_int_equal(write(fds[1], "lf\nre", 5), 5);
    expect_line(&lines, "half", 4);
    expect(&lines, LINES_E_WAIT);
    close(fds[1]);
    expect_line(&lines, "re", 2);
    expect(&lines, LINES_E_END);
    lines_fini(&lines);
}

static void a_read_error_is_told(void **state)
{
    struct lines lines;

    lines_init(&lines, open("/", O_RDONLY | O_CLOEXEC), '\n', 100);
    expect(&lines, -EISDIR);
    lines_fini(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_comes_once_and_the_last_needs_no_newline),
        cmocka_unit_test(an_empty_stream_has_no_line_and_a_lone_newline_has_one),
        cmocka_unit_test(items_may_end_in_a_zero_byte_instead),
        cmocka_unit_test(a_line_above_the_limit_is_told_as_such_and_the_next_is_whole),
        cmocka_unit_test(a_line_of_exactly_the_limit_is_a_line_and_one_more_byte_is_not),
        cmocka_unit_test(a_line_longer_than_one_read_is_put_together),
        cmocka_unit_test(a_pipe_with_half_a_line_makes_nobody_wait),
        cmocka_unit_test(a_read_error_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
