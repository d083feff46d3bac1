/* What is told about a process is of that process, or nothing. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "identity/process_record.h"
#include "testing.h"

#define WELL_KNOWN "/usr/bin/env"
#define POSE       "--pose"

static int pidfd_of(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static struct identity_record read_record(int pidfd, pid_t pid)
{
    struct identity_record record = {.version = IDENTITY_CHANNEL_VERSION, .session = 77};

    memset(record.exe_path, 'x', sizeof(record.exe_path));
    process_record_read(&record, pidfd, pid, 0);
    assert_int_equal(record.version, IDENTITY_CHANNEL_VERSION);
    assert_int_equal(record.session, 77);
    return record;
}

static void assert_nothing(const struct identity_record *record, int error)
{
    assert_int_equal(record->error, error);
    assert_int_equal(record->start_time, 0);
    assert_int_equal(record->exe_inode, 0);
    assert_string_equal(record->exe_path, "");
    assert_string_equal(record->cgroup, "");
}

static void the_own_program_is_known(void **state)
{
    int pidfd = pidfd_of(getpid());
    struct identity_record record = read_record(pidfd, getpid());
    char exe[512] = "";
    struct stat st;

    assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
    assert_int_equal(stat(exe, &st), 0);
    assert_int_equal(record.error, 0);
    assert_string_equal(record.exe_path, exe);
    assert_true(record.exe_device == st.st_dev && record.exe_inode == st.st_ino);
    assert_true(record.start_time > 0);
    assert_true(record.cgroup[0] == '/' || record.cgroup[0] == '\0');
    close(pidfd);
}

static void without_a_pidfd_the_pid_is_looked_up(void **state)
{
    struct identity_record record = read_record(-1, getpid());

    assert_int_equal(record.error, 0);
    assert_true(record.exe_inode != 0);
    record = read_record(-1, 0x7ffffffe);
    assert_nothing(&record, ESRCH);
}

/* A child that waits to be killed. */
static pid_t start_child(const char *name)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void)prctl(PR_SET_NAME, name, 0, 0, 0);
        for (;;) {
            pause();
        }
    }
    return pid;
}

static void end_child(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void of_a_process_that_has_ended_nothing_is_known(void **state)
{
    pid_t pid = start_child("child");
    int pidfd = pidfd_of(pid);
    struct identity_record record = read_record(pidfd, pid);

    assert_int_equal(record.error, 0);
    end_child(pid);
    record = read_record(pidfd, pid);
    assert_nothing(&record, ESRCH);
    close(pidfd);
}

static void the_pidfd_counts_and_not_the_claimed_pid(void **state)
{
    pid_t pid = start_child("child");
    int pidfd = pidfd_of(pid);
    struct identity_record own = read_record(-1, pid);
    struct identity_record record = read_record(pidfd, 1);

    assert_int_equal(record.error, 0);
    assert_true(record.start_time == own.start_time && record.exe_inode == own.exe_inode);
    end_child(pid);
    close(pidfd);
}

static void a_process_name_full_of_brackets_does_not_move_the_fields(void **state)
{
    pid_t plain = start_child("plain");
    pid_t odd = start_child(") R 1 2 3 (x) 9");
    struct identity_record a = read_record(-1, plain);
    struct identity_record b = read_record(-1, odd);

    assert_true(a.start_time > 0 && b.start_time >= a.start_time);
    assert_true(b.start_time - a.start_time < 1000);
    end_child(plain);
    end_child(odd);
}

static void a_descriptor_that_is_no_pidfd_is_refused(void **state)
{
    int fds[2];
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct identity_record record = read_record(file, getpid());

    assert_nothing(&record, EBADF);
    close(file);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    record = read_record(fds[0], getpid());
    assert_nothing(&record, EBADF);
    close(fds[0]);
    close(fds[1]);
}

/* Runs this program again as WELL_KNOWN, in a file system of its own; ends with 1 where it
 * can't. */
static void pose(const char *self)
{
    if ((unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount(self, WELL_KNOWN, NULL, MS_BIND, NULL) < 0) {
        _exit(1);
    }
    execl(WELL_KNOWN, WELL_KNOWN, POSE, NULL);
    _exit(1);
}

/* In another mount namespace any file can be any path. */
static void a_path_that_is_another_file_for_us_is_not_believed(void **state)
{
    struct identity_record record;
    char self[512] = "";
    int fds[2];
    char byte;
    pid_t pid;

    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    assert_int_equal(pipe(fds), 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        pose(self);
    }
    close(fds[1]);
    if (read(fds[0], &byte, 1) != 1) {
        close(fds[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        skip_because("no mount namespace is to be had");
    }
    record = read_record(-1, pid);
    assert_int_equal(record.error, 0);
    assert_true(record.exe_inode != 0);
    assert_string_equal(record.exe_path, "");
    end_child(pid);
    close(fds[0]);
}

static bool is_own(pid_t pid, pid_t root)
{
    struct identity_record record = {.version = IDENTITY_CHANNEL_VERSION};

    process_record_read(&record, -1, pid, root);
    assert_int_equal(record.error, 0);
    return record.is_own == 1;
}

static void whoever_descends_from_the_root_is_our_own(void **state)
{
    pid_t child = start_child(") R 1 2");
    pid_t other = start_child("other");

    (void)state;
    assert_true(is_own(getpid(), getpid()));
    assert_true(is_own(child, getpid()));
    assert_true(is_own(child, getppid()));
    assert_false(is_own(child, other));
    assert_false(is_own(getpid(), child));
    assert_false(is_own(child, 0));
    end_child(child);
    end_child(other);
}

static void a_grandchild_is_our_own_as_well(void **state)
{
    int fds[2];
    pid_t parent, grandchild;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        grandchild = start_child("grandchild");
        (void)!write(fds[1], &grandchild, sizeof(grandchild));
        pause();
    }
    assert_int_equal(read(fds[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
    assert_true(is_own(grandchild, parent));
    assert_true(is_own(grandchild, getpid()));
    close(fds[0]);
    close(fds[1]);
    /* It may have been too early for it to end with its parent. */
    assert_int_equal(kill(grandchild, SIGKILL), 0);
    end_child(parent);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_own_program_is_known),
        cmocka_unit_test(without_a_pidfd_the_pid_is_looked_up),
        cmocka_unit_test(of_a_process_that_has_ended_nothing_is_known),
        cmocka_unit_test(the_pidfd_counts_and_not_the_claimed_pid),
        cmocka_unit_test(a_process_name_full_of_brackets_does_not_move_the_fields),
        cmocka_unit_test(a_descriptor_that_is_no_pidfd_is_refused),
        cmocka_unit_test(whoever_descends_from_the_root_is_our_own),
        cmocka_unit_test(a_grandchild_is_our_own_as_well),
        cmocka_unit_test(a_path_that_is_another_file_for_us_is_not_believed),
    };

    if (argc > 1 && strcmp(argv[1], POSE) == 0) {
        (void)!write(STDOUT_FILENO, "x", 1);
        pause();
        return 0;
    }

    return cmocka_run_group_tests(tests, NULL, NULL);
}
