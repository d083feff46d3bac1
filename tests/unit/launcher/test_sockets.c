/* Where we are found: one of us per folder, sockets with the right modes, nobody's taken away. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "launcher/sockets.h"
#include "testing.h"

static char folder[64];
static char why[SOCKETS_WHY_BYTES_MAX];

static int set_up(void **state)
{
    strcpy(folder, "/tmp/pes-sockets.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

/* Removes a folder and the lock in it. */
static int remove_folder(const char *path)
{
    char lock[300];

    snprintf(lock, sizeof(lock), "%s/lock", path);
    (void)unlink(lock);
    return rmdir(path);
}

static int tear_down(void **state)
{
    return remove_folder(folder);
}

static mode_t mode_of(const char *name)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return stat(path, &st) < 0 ? 0 : st.st_mode & (S_IFMT | 07777);
}

/* Connects; the socket is left listening. */
static int connect_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -errno;
    }
    return fd;
}

static void everybody_may_ask_and_only_the_owner_administrate(void **state)
{
    struct sockets sockets = SOCKETS_INIT;
    int fd;

    assert_int_equal(sockets_open(&sockets, folder, false, why), 0);
    assert_int_equal(mode_of("pes.sock"), S_IFSOCK | 0666);
    assert_int_equal(mode_of("admin.sock"), S_IFSOCK | 0600);
    fd = connect_to("pes.sock");
    assert_true(fd >= 0);
    close(fd);
    sockets_fini(&sockets);
    assert_int_equal(mode_of("pes.sock"), 0);
    assert_int_equal(mode_of("admin.sock"), 0);
}

static void a_second_one_is_refused_while_the_first_lives(void **state)
{
    struct sockets first = SOCKETS_INIT;
    struct sockets second = SOCKETS_INIT;
    int fd;

    assert_int_equal(sockets_open(&first, folder, false, why), 0);
    assert_int_equal(sockets_open(&second, folder, false, why), SOCKETS_E_REFUSED);
    assert_non_null(strstr(why, "another pesd serves in runtime folder"));
    sockets_fini(&second);
    fd = connect_to("pes.sock");
    assert_true(fd >= 0);
    close(fd);
    sockets_fini(&first);
}

/* Whoever can open a file can lock it, and keep us from starting. */
static void nobody_else_may_open_the_lock(void **state)
{
    struct sockets sockets = SOCKETS_INIT;
    char path[128];

    assert_int_equal(sockets_open(&sockets, folder, true, why), 0);
    assert_int_equal(mode_of("lock"), S_IFREG | 0600);
    sockets_fini(&sockets);
    snprintf(path, sizeof(path), "%s/lock", folder);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(sockets_open(&sockets, folder, true, why), SOCKETS_E_REFUSED);
    assert_non_null(strstr(why, "chmod 600"));
    sockets_fini(&sockets);
}

static void what_a_dead_one_left_is_replaced(void **state)
{
    struct sockets dead = SOCKETS_INIT;
    struct sockets next = SOCKETS_INIT;
    int fd;

    assert_int_equal(sockets_open(&dead, folder, false, why), 0);
    dead.client_is_ours = dead.admin_is_ours = false; /* it had no time to remove them */
    sockets_fini(&dead);
    assert_int_equal(mode_of("pes.sock"), S_IFSOCK | 0666);
    assert_int_equal(sockets_open(&next, folder, false, why), 0);
    fd = connect_to("pes.sock");
    assert_true(fd >= 0);
    close(fd);
    sockets_fini(&next);
}

static void what_is_no_socket_is_not_removed(void **state)
{
    struct sockets sockets = SOCKETS_INIT;
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/pes.sock", folder);
    file = fopen(path, "we");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(sockets_open(&sockets, folder, false, why), SOCKETS_E_REFUSED);
    assert_non_null(strstr(why, "is in the way and is no socket; remove it"));
    sockets_fini(&sockets);
    assert_int_equal(unlink(path), 0);
}

static void a_folder_is_made_with_the_mode_that_its_use_needs(void **state)
{
    static const mode_t modes[2] = {0700, 0755};
    mode_t old_umask = umask(0077); /* pesd's */
    char path[128];

    for (int is_system = 0; is_system < 2; is_system++) {
        struct sockets sockets = SOCKETS_INIT;

        snprintf(path, sizeof(path), "%s/run", folder);
        assert_int_equal(sockets_open(&sockets, path, is_system, why), 0);
        assert_int_equal(mode_of("run"), S_IFDIR | modes[is_system]);
        sockets_fini(&sockets);
        assert_int_equal(remove_folder(path), 0);
    }
    (void)umask(old_umask);
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
    struct sockets sockets = SOCKETS_INIT;

    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(sockets_open(&sockets, folder, false, why), SOCKETS_E_REFUSED);
    assert_non_null(strstr(why, "chmod go-w it"));
    sockets_fini(&sockets);
}

static void a_path_that_is_too_long_or_a_link_is_refused(void **state)
{
    struct sockets sockets = SOCKETS_INIT;
    char path[256];
    char link[128];

    snprintf(path, sizeof(path), "%s/%0100d", folder, 0);
    assert_int_equal(sockets_open(&sockets, path, false, why), SOCKETS_E_REFUSED);
    assert_non_null(strstr(why, "too long for a socket; give a shorter --runtime"));
    sockets_fini(&sockets);
    assert_int_equal(remove_folder(path), 0);
    snprintf(link, sizeof(link), "%s/link", folder);
    assert_int_equal(symlink("/tmp", link), 0);
    assert_true(sockets_open(&sockets, link, false, why) < 0);
    sockets_fini(&sockets);
    assert_int_equal(unlink(link), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(everybody_may_ask_and_only_the_owner_administrate),
        CASE(a_second_one_is_refused_while_the_first_lives),
        CASE(nobody_else_may_open_the_lock),
        CASE(what_a_dead_one_left_is_replaced),
        CASE(what_is_no_socket_is_not_removed),
        CASE(a_folder_is_made_with_the_mode_that_its_use_needs),
        CASE(a_folder_that_others_may_write_is_refused),
        CASE(a_path_that_is_too_long_or_a_link_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
