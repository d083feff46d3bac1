/* A module becomes memory that nobody can change, or is refused with the reason. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "launcher/module.h"
#include "testing.h"

static char folder[] = "/tmp/pes-module.XXXXXX";
static char file[PATH_MAX];
static char other[PATH_MAX];
static char why[MODULE_WHY_BYTES_MAX];

static int set_up(void **state)
{
    FILE *out;

    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(file, sizeof(file), "%s/module.so", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    out = fopen(file, "we");
    if (!out) {
        return -1;
    }
    fputs("bytes of a module", out);
    return fclose(out);
}

static int tear_down(void **state)
{
    unlink(file);
    unlink(other);
    return rmdir(folder);
}

static void its_bytes_are_sealed_in_memory(void **state)
{
    char bytes[32] = "";
    int fd = -1;

    assert_int_equal(module_load(file, false, &fd, why), 0);
    assert_int_equal(fcntl(fd, F_GET_SEALS),
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE |
                         (fcntl(fd, F_GET_SEALS) & 0x20)); /* F_SEAL_EXEC, with vm.memfd_noexec */
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), 17);
    assert_string_equal(bytes, "bytes of a module");
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_true(mmap(NULL, 17, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    close(fd);
}

static void a_later_change_of_the_file_does_not_reach_it(void **state)
{
    char bytes[6] = "";
    int fd = -1;
    FILE *out;

    assert_int_equal(module_load(file, false, &fd, why), 0);
    out = fopen(file, "r+e");
    assert_non_null(out);
    fputs("BYTES", out);
    fclose(out);
    assert_int_equal(pread(fd, bytes, 5, 0), 5);
    assert_string_equal(bytes, "bytes");
    close(fd);
}

static void what_is_no_plain_file_is_refused(void **state)
{
    int fd = -1;

    assert_int_equal(module_load(folder, false, &fd, why), MODULE_E_REFUSED);
    assert_string_equal(why, "the module is not a regular file");
    assert_int_equal(mkfifo(other, 0600), 0);
    assert_int_equal(module_load(other, false, &fd, why), MODULE_E_REFUSED);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(symlink("module.so", other), 0);
    assert_int_equal(module_load(other, false, &fd, why), MODULE_E_REFUSED);
    assert_string_equal(why, "the module is a symbolic link; name the file itself");
    assert_int_equal(unlink(other), 0);
    assert_int_equal(module_load("/dev/zero", false, &fd, why), MODULE_E_REFUSED);
    assert_int_equal(fd, -1);
}

static void empty_missing_and_huge_files_are_refused(void **state)
{
    int fd = -1;
    int made;

    assert_int_equal(module_load(other, false, &fd, why), -ENOENT);
    assert_string_equal(why, "the module cannot be opened: No such file or directory");
    made = open(other, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    assert_true(made >= 0);
    assert_int_equal(module_load(other, false, &fd, why), MODULE_E_REFUSED);
    assert_string_equal(why, "the module is empty");
    assert_int_equal(ftruncate(made, (off_t)MODULE_BYTES_MAX + 1), 0);
    assert_int_equal(module_load(other, false, &fd, why), MODULE_E_REFUSED);
    assert_string_equal(why, "the module is larger than 256 MiB");
    close(made);
    unlink(other);
}

static void in_system_mode_only_roots_files_count(void **state)
{
    int fd = -1;

    if (geteuid() != 0) {
        assert_int_equal(module_load(file, true, &fd, why), MODULE_E_REFUSED);
        return;
    }
    assert_int_equal(module_load(file, true, &fd, why), 0);
    close(fd);
    assert_int_equal(chmod(file, 0664), 0);
    assert_int_equal(module_load(file, true, &fd, why), MODULE_E_REFUSED);
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(chown(file, 65534, 0), 0);
    assert_int_equal(module_load(file, true, &fd, why), MODULE_E_REFUSED);
    assert_int_equal(chown(file, 0, 0), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(module_load(file, true, &fd, why), MODULE_E_REFUSED);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(module_load(file, true, &fd, why), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_bytes_are_sealed_in_memory),
        cmocka_unit_test(a_later_change_of_the_file_does_not_reach_it),
        cmocka_unit_test(what_is_no_plain_file_is_refused),
        cmocka_unit_test(empty_missing_and_huge_files_are_refused),
        cmocka_unit_test(in_system_mode_only_roots_files_count),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
