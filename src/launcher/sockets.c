/*
 * Where clients and administrators find us.
 *
 * One pesd per runtime folder: it holds a lock for as long as it lives, which no crash can leave
 * behind. The lock is on a file that nobody else may open, since whoever can open a file can lock
 * it. A socket of an earlier one is removed only when nobody answers on it,
 * since it could also be a service manager's that waits to start us. The mode of a socket is set
 * before it gets its name, so that there is no moment at which the wrong people may connect.
 *
 * The listening sockets are made here, and not in the broker, because clients judge whom they talk
 * to by who called listen() (SO_PEERCRED), and because they outlive a broker. On kernels from 6.16
 * on they are told to let no descriptor through; accepted connections inherit that.
 */
#include "launcher/sockets.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* 6.16 */
#endif

#define BACKLOG 512

__attribute__((format(printf, 2, 3))) static int refuse(char *why, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, SOCKETS_WHY_BYTES_MAX, format, args);
    va_end(args);
    return SOCKETS_E_REFUSED;
}

static int fail(char *why, const char *what, const char *path, int error)
{
    snprintf(why, SOCKETS_WHY_BYTES_MAX, "%s '%s': %s", what, path, strerror(error));
    return -error;
}

/* ----------------------------------------------------------------------------------- the folder */

static int check_folder(int fd, const char *path, char *why)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return fail(why, "cannot look at runtime folder", path, errno);
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        return refuse(why, "runtime folder '%s' belongs to somebody else; give another --runtime",
                      path);
    }
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        return refuse(why, "others may write to runtime folder '%s'; chmod go-w it", path);
    }
    return 0;
}

/* Makes the folder if it is not there; clients of a system service go through it. */
static int make_folder(const char *path, bool is_system, int *ret_fd, char *why)
{
    CLEANUP(closep) int fd = -1;
    bool is_new = mkdir(path, 0700) == 0;

    if (!is_new && errno != EEXIST) {
        return fail(why, "cannot create runtime folder", path, errno);
    }
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return fail(why, "cannot open runtime folder", path, errno);
    }
    if (is_new && is_system && fchmod(fd, 0755) < 0) { /* whatever the umask is */
        return fail(why, "cannot let clients into runtime folder", path, errno);
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int take_lock(struct sockets *sockets, const char *path, char *why)
{
    CLEANUP(closep)
    int fd = openat(sockets->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                    0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        return fail(why, "cannot open the lock in runtime folder", path, errno);
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        return refuse(why, "others may open the lock in runtime folder '%s'; chmod 600 '%s/lock'",
                      path, path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        return refuse(why,
                      "another pesd serves in runtime folder '%s'; stop it, or give another "
                      "--runtime",
                      path);
    }
    /* Whoever may read it learns whom to send a signal; that the lock is held says it is true. */
    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
        return fail(why, "cannot write the lock in runtime folder", path, errno);
    }
    sockets->lock = TAKE_FD(fd);
    return 0;
}

static int open_folder(struct sockets *sockets, const char *path, bool is_system, char *why)
{
    CLEANUP(closep) int fd = -1;
    int r = make_folder(path, is_system, &fd, why);

    if (r == 0) {
        r = check_folder(fd, path, why);
    }
    if (r != 0) {
        return r;
    }
    snprintf(sockets->path, sizeof(sockets->path), "%s", path);
    sockets->folder = TAKE_FD(fd);
    return take_lock(sockets, path, why);
}

/* ---------------------------------------------------------------------------------- the sockets */

static int make_address(struct sockets *sockets, const char *name, struct sockaddr_un *ret,
                        char *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", sockets->path, name);

    if (n < 0 || (size_t)n >= sizeof(address.sun_path)) {
        return refuse(why,
                      "the path of runtime folder '%s' is too long for a socket; give a shorter "
                      "--runtime",
                      sockets->path);
    }
    *ret = address;
    return 0;
}

/* Removes a socket that nobody serves any more. */
static int remove_stale(struct sockets *sockets, const char *name,
                        const struct sockaddr_un *address, char *why)
{
    CLEANUP(closep) int probe = -1;
    struct stat st;

    if (fstatat(sockets->folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? 0 : fail(why, "cannot look at", address->sun_path, errno);
    }
    if (!S_ISSOCK(st.st_mode)) {
        return refuse(why, "'%s' is in the way and is no socket; remove it", address->sun_path);
    }
    probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        return fail(why, "no socket to try", address->sun_path, errno);
    }
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
        errno != ECONNREFUSED) {
        return refuse(why,
                      "somebody answers on '%s'; stop the other pesd or its socket unit, or give "
                      "another --runtime",
                      address->sun_path);
    }
    if (unlinkat(sockets->folder, name, 0) < 0 && errno != ENOENT) {
        return fail(why, "cannot remove the old socket", address->sun_path, errno);
    }
    return 0;
}

static int listen_on(struct sockets *sockets, const char *name, mode_t mode, int *ret_fd, char *why)
{
    CLEANUP(closep) int fd = -1;
    struct sockaddr_un address;
    mode_t old_umask;
    int r = make_address(sockets, name, &address, why);

    if (r != 0) {
        return r;
    }
    r = remove_stale(sockets, name, &address, why);
    if (r != 0) {
        return r;
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fail(why, "no socket for", address.sun_path, errno);
    }
    /* unix(7) does not say so, but bind() gives the new name the mode of the socket, less umask. */
    if (fchmod(fd, mode) < 0) {
        return fail(why, "cannot set the mode of", address.sun_path, errno);
    }
    old_umask = umask(0);
    r = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
    (void)umask(old_umask);
    if (r != 0) {
        return fail(why, "cannot create", address.sun_path, r);
    }
    if (listen(fd, BACKLOG) < 0) {
        return fail(why, "cannot listen on", address.sun_path, errno);
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

/* ----------------------------------------------------------------------------------- activation */

static int take_passed(struct sockets *sockets, int fd, const char *name, char *why)
{
    int *slot = strcmp(name, "client") == 0  ? &sockets->client
                : strcmp(name, "admin") == 0 ? &sockets->admin
                                             : NULL;

    if (!slot) {
        return refuse(why,
                      "the service manager passed a socket named '%s'; name them \"client\" and "
                      "\"admin\" (FileDescriptorName=)",
                      name);
    }
    if (*slot >= 0) {
        return refuse(why, "the service manager passed two sockets named '%s'; pass one", name);
    }
    if (sd_is_socket(fd, AF_UNIX, SOCK_SEQPACKET, 1) <= 0) {
        return refuse(why,
                      "the socket '%s' from the service manager is of the wrong type; use "
                      "ListenSequentialPacket=",
                      name);
    }
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        return fail(why, "cannot use the passed socket", name, errno);
    }
    *slot = fd;
    return 0;
}

static int take_all_passed(struct sockets *sockets, char *why)
{
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names);
    int r = 0;

    if (n < 0) {
        return fail(why, "cannot take the passed sockets", "LISTEN_FDS", -n);
    }
    for (int i = 0; i < n && r == 0; i++) {
        r = take_passed(sockets, SD_LISTEN_FDS_START + i, names[i], why);
    }
    for (int i = 0; i < n; i++) {
        free(names[i]);
    }
    free(names);
    return r;
}

int sockets_open(struct sockets *sockets, const char *folder, bool is_system,
                 char ret_why[SOCKETS_WHY_BYTES_MAX])
{
    int r = take_all_passed(sockets, ret_why);

    if (r == 0) {
        r = open_folder(sockets, folder, is_system, ret_why);
    }
    if (r == 0 && sockets->client < 0) {
        r = listen_on(sockets, "pes.sock", 0666, &sockets->client, ret_why);
        sockets->client_is_ours = r == 0;
    }
    if (r == 0 && sockets->admin < 0) {
        r = listen_on(sockets, "admin.sock", 0600, &sockets->admin, ret_why);
        sockets->admin_is_ours = r == 0;
    }
    return r;
}

static bool refuse_rights(int fd)
{
    int no = 0;

    return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no)) == 0;
}

bool sockets_refuse_descriptors(struct sockets *sockets)
{
    return refuse_rights(sockets->client) && refuse_rights(sockets->admin);
}

void sockets_unlink(struct sockets *sockets)
{
    if (sockets->client_is_ours) {
        (void)unlinkat(sockets->folder, "pes.sock", 0);
        sockets->client_is_ours = false;
    }
    if (sockets->admin_is_ours) {
        (void)unlinkat(sockets->folder, "admin.sock", 0);
        sockets->admin_is_ours = false;
    }
}

void sockets_fini(struct sockets *sockets)
{
    sockets_unlink(sockets);
    closep(&sockets->client);
    closep(&sockets->admin);
    closep(&sockets->folder);
    closep(&sockets->lock);
    *sockets = (struct sockets)SOCKETS_INIT;
}
