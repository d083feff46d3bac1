/* A provider's stderr: ten lines a second, each bounded, and flooding is cut short. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/provider_log.h"
#include "testing.h"

static char lines[64][PROVIDER_LOG_LINE_MAX + 1];
static size_t n_lines;
static struct provider_log provider_log;
static int in = -1;

static void keep_line(void *context, const char *line, size_t n_line)
{
    assert_true(n_line > 0 && n_line <= PROVIDER_LOG_LINE_MAX);
    assert_true(n_lines < 64);
    memcpy(lines[n_lines], line, n_line);
    lines[n_lines++][n_line] = '\0';
}

static int set_up(void **state)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
        return 1;
    }
    n_lines = 0;
    in = fds[1];
    provider_log_init(&provider_log, fds[0], keep_line, NULL);
    return 0;
}

static int tear_down(void **state)
{
    if (in >= 0) {
        close(in);
    }
    provider_log_fini(&provider_log);
    return 0;
}

static void write_text(const char *text)
{
    assert_int_equal(write(in, text, strlen(text)), strlen(text));
}

static void lines_are_given_out_whole(void **state)
{
    write_text("one\n\ntw");
    provider_log_step(&provider_log, 1);
    assert_int_equal(n_lines, 1);
    write_text("o\n");
    provider_log_step(&provider_log, 2);
    assert_int_equal(n_lines, 2);
    assert_string_equal(lines[0], "one");
    assert_string_equal(lines[1], "two");
}

static void a_long_line_is_broken(void **state)
{
    char text[2500];

    memset(text, 'x', sizeof(text) - 2);
    text[sizeof(text) - 2] = '\n';
    text[sizeof(text) - 1] = '\0';
    write_text(text);
    provider_log_step(&provider_log, 1);
    assert_int_equal(n_lines, 3);
    assert_int_equal(strlen(lines[0]), PROVIDER_LOG_LINE_MAX);
    assert_int_equal(strlen(lines[2]), 2498 - 2 * PROVIDER_LOG_LINE_MAX);
}

static void the_rest_comes_at_the_end(void **state)
{
    write_text("no newline");
    provider_log_step(&provider_log, 1);
    assert_int_equal(n_lines, 0);
    close(in);
    in = -1;
    provider_log_finish(&provider_log, 2);
    assert_int_equal(n_lines, 1);
    assert_string_equal(lines[0], "no newline");
    assert_int_equal(provider_log.fd, -1);
}

static void a_flood_is_not_read_until_the_second_is_over(void **state)
{
    const uint64_t start = 5000000;

    for (int i = 0; i < 2000; i++) {
        write_text("flood\n");
    }
    provider_log_step(&provider_log, start);
    assert_int_equal(n_lines, PROVIDER_LOG_LINES_MAX);
    assert_false(provider_log_wants_input(&provider_log, start + 1));
    assert_int_equal(provider_log_next_us(&provider_log), start + PROVIDER_LOG_WINDOW_US);
    provider_log_step(&provider_log, start + 1);
    assert_int_equal(n_lines, PROVIDER_LOG_LINES_MAX);
    assert_true(provider_log_wants_input(&provider_log, start + PROVIDER_LOG_WINDOW_US));
    provider_log_step(&provider_log, start + PROVIDER_LOG_WINDOW_US);
    assert_int_equal(n_lines, PROVIDER_LOG_LINES_MAX + 1);
    assert_non_null(strstr(lines[PROVIDER_LOG_LINES_MAX], "left out"));
    write_text("calm\n");
    provider_log_step(&provider_log, start + PROVIDER_LOG_WINDOW_US + 1);
    assert_string_equal(lines[n_lines - 1], "calm");
}

/* Looking at each costs as much as at any other line. */
static void empty_lines_are_a_flood_too(void **state)
{
    for (int i = 0; i < 100; i++) {
        write_text("\n\n\n\n\n\n\n\n\n\n");
    }
    provider_log_step(&provider_log, 1);
    assert_int_equal(n_lines, 0);
    assert_false(provider_log_wants_input(&provider_log, 2));
}

static void a_full_pipe_never_blocks_the_provider(void **state)
{
    char text[4096];
    ssize_t n;

    memset(text, '\n', sizeof(text));
    do {
        n = write(in, text, sizeof(text));
    } while (n > 0);
    assert_int_equal(n, -1);
    provider_log_step(&provider_log, 1);
    assert_int_equal(n_lines, 0);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(lines_are_given_out_whole),
        LOG_TEST(a_long_line_is_broken),
        LOG_TEST(the_rest_comes_at_the_end),
        LOG_TEST(a_flood_is_not_read_until_the_second_is_over),
        LOG_TEST(empty_lines_are_a_flood_too),
        LOG_TEST(a_full_pipe_never_blocks_the_provider),
    };

    return cmocka_run_group_tests_name("init/provider_log", tests, NULL, NULL);
}
