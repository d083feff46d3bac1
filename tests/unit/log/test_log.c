/* Log lines: whole, short, harmless, and never at the cost of waiting. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "log/log.h"
#include "testing.h"

struct capture {
    int stderr_fd; /* the real one */
    int read_fd;
};

/* Puts a pipe in the place of stderr. */
static void capture_begin(struct capture *capture, const char *journal_stream)
{
    int fds[2];
    struct stat st;
    char stream[64];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fstat(fds[1], &st), 0);
    unsetenv("JOURNAL_STREAM");
    if (journal_stream) {
        snprintf(stream, sizeof(stream), journal_stream, (unsigned long long)st.st_dev,
                 (unsigned long long)st.st_ino);
        setenv("JOURNAL_STREAM", stream, 1);
    }
    capture->stderr_fd = dup(STDERR_FILENO);
    capture->read_fd = fds[0];
    assert_true(capture->stderr_fd >= 0);
    assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
    close(fds[1]);
    log_init("pes-test");
}

/* Everything that was logged since; returns its length. */
static size_t capture_read(struct capture *capture, char *buffer, size_t n_buffer)
{
    size_t at = 0;
    ssize_t n;

    while (at < n_buffer - 1 && (n = read(capture->read_fd, buffer + at, n_buffer - 1 - at)) > 0) {
        at += (size_t)n;
    }
    buffer[at] = '\0';
    return at;
}

static void capture_end(struct capture *capture)
{
    assert_true(dup2(capture->stderr_fd, STDERR_FILENO) >= 0);
    close(capture->stderr_fd);
    close(capture->read_fd);
    unsetenv("JOURNAL_STREAM");
}

static void people_get_process_priority_and_event_in_words(void **state)
{
    struct capture capture;
    char text[256];

    capture_begin(&capture, NULL);
    log_event(LOG_WARNING, EV_PROVIDER_LOST, "provider '%s' died (%s)", "yara", "SIGSEGV");
    capture_read(&capture, text, sizeof(text));
    capture_end(&capture);
    assert_string_equal(text, "pes-test: warning: provider-lost: provider 'yara' died (SIGSEGV)\n");
}

static void the_journal_gets_a_priority_prefix(void **state)
{
    struct capture capture;
    char text[256];

    capture_begin(&capture, "%llu:%llu");
    log_event(LOG_ERR, EV_SANDBOX, "no Landlock");
    capture_read(&capture, text, sizeof(text));
    capture_end(&capture);
    assert_string_equal(text, "<3>sandbox: no Landlock\n");
}

static void an_inherited_journal_stream_that_is_not_stderr_does_not_count(void **state)
{
    struct capture capture;
    char text[256];

    capture_begin(&capture, "%llu:1%llu");
    log_event(LOG_INFO, EV_START, "hello");
    capture_read(&capture, text, sizeof(text));
    capture_end(&capture);
    assert_string_equal(text, "pes-test: info: start: hello\n");
}

static void no_text_makes_a_second_line_or_moves_the_cursor(void **state)
{
    struct capture capture;
    char text[256];

    capture_begin(&capture, NULL);
    log_event(LOG_INFO, EV_STOP, "a\nb\x1b[2Jc\rd\x7f");
    capture_read(&capture, text, sizeof(text));
    capture_end(&capture);
    assert_string_equal(text, "pes-test: info: stop: a?b?[2Jc?d?\n");
}

static void a_long_line_is_cut_to_one_kibibyte(void **state)
{
    struct capture capture;
    char text[8192];
    char name[4096];
    size_t n;

    memset(name, 'x', sizeof(name));
    capture_begin(&capture, NULL);
    log_event(LOG_INFO, EV_START, "%.*s", (int)sizeof(name), name);
    log_event(LOG_INFO, EV_STOP, "next");
    n = capture_read(&capture, text, sizeof(text));
    capture_end(&capture);
    assert_int_equal(strchr(text, '\n') - text, 1023);
    assert_string_equal(text + 1024, "pes-test: info: stop: next\n");
    assert_int_equal(n, 1024 + 27);
}

static void a_reader_that_stopped_is_not_waited_for_and_learns_what_it_missed(void **state)
{
    struct capture capture;
    static char text[1 << 20];
    char *told;

    capture_begin(&capture, NULL);
    /* A pipe holds 64 KiB: without the check this would hang, which is how it would fail. */
    for (unsigned i = 0; i < 5000; i++) {
        log_event(LOG_INFO, EV_WORKER_DIED, "line %u of many that nobody reads at this time", i);
    }
    capture_read(&capture, text, sizeof(text));
    log_event(LOG_INFO, EV_STOP, "after");
    capture_read(&capture, text, sizeof(text));
    capture_end(&capture);
    told = strstr(text, "internal: ");
    assert_non_null(told);
    assert_true(strtoul(told + strlen("internal: "), NULL, 10) > 1000);
    assert_non_null(strstr(text, "pes-test: info: stop: after\n"));
}

static void a_reader_that_is_gone_changes_nothing(void **state)
{
    struct capture capture;
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    char text[256];

    capture_begin(&capture, NULL);
    close(capture.read_fd);
    errno = ENOENT;
    log_event(LOG_INFO, EV_START, "into the void");
    assert_int_equal(errno, ENOENT);
    capture.read_fd = -1;
    capture_end(&capture);
    signal(SIGPIPE, before);

    capture_begin(&capture, NULL);
    log_event(LOG_INFO, EV_START, "again");
    capture_read(&capture, text, sizeof(text));
    capture_end(&capture);
    assert_non_null(strstr(text, "pes-test: info: start: again\n"));
}

static void text_from_outside_cannot_leave_its_quotes(void **state)
{
    char buffer[LOG_SAFE_BYTES];
    char big[1000];

    assert_string_equal(log_safe("a'b\n", 4, buffer), "a\\x27b\\x0a");
    memset(big, 'y', sizeof(big));
    assert_int_equal(strlen(log_safe(big, sizeof(big), buffer)), LOG_SAFE_BYTES - 1);
}

static void every_event_has_a_name_of_its_own(void **state)
{
    static const char *const names[] = {
#define LOG_EVENT(id, name) name,
#include "log/events.inc"
#undef LOG_EVENT
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(strspn(names[i], "abcdefghijklmnopqrstuvwxyz-") == strlen(names[i]));
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(names[i], names[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_get_process_priority_and_event_in_words),
        cmocka_unit_test(the_journal_gets_a_priority_prefix),
        cmocka_unit_test(an_inherited_journal_stream_that_is_not_stderr_does_not_count),
        cmocka_unit_test(no_text_makes_a_second_line_or_moves_the_cursor),
        cmocka_unit_test(a_long_line_is_cut_to_one_kibibyte),
        cmocka_unit_test(a_reader_that_stopped_is_not_waited_for_and_learns_what_it_missed),
        cmocka_unit_test(a_reader_that_is_gone_changes_nothing),
        cmocka_unit_test(text_from_outside_cannot_leave_its_quotes),
        cmocka_unit_test(every_event_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
