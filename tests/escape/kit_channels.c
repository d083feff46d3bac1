/* V6: making something through which two processes could speak. */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "kit_attempt.h"

ATTEMPT(memory_file, memfd_create("x", MFD_CLOEXEC))
ATTEMPT(secret_memory, syscall(NR_MEMFD_SECRET, 0))
ATTEMPT(event, eventfd(0, EFD_CLOEXEC))
ATTEMPT(polling, epoll_create1(EPOLL_CLOEXEC))
ATTEMPT(timer, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC))
ATTEMPT(shared_segment, shmget(0x70657300, 4096, IPC_CREAT | 0666))
ATTEMPT(attach_segment, syscall(SYS_shmat, 0, NULL, 0))
ATTEMPT(semaphore, semget(0x70657300, 1, IPC_CREAT | 0666))
ATTEMPT(messages, msgget(0x70657300, IPC_CREAT | 0666))
ATTEMPT(message_queue, syscall(SYS_mq_open, "pes", O_RDWR | O_CREAT, 0600, NULL))
ATTEMPT(key, syscall(SYS_add_key, "user", "pes", "x", 1, -3))
ATTEMPT(key_ring, syscall(SYS_keyctl, 0, -3, 1))
ATTEMPT(key_request, syscall(SYS_request_key, "user", "pes", NULL, -3))
ATTEMPT(lock, flock(STDERR_FILENO, LOCK_EX | LOCK_NB))
ATTEMPT(lease, fcntl(STDERR_FILENO, F_SETLEASE, F_RDLCK))
ATTEMPT(pipe_size, fcntl(STDERR_FILENO, F_SETPIPE_SZ, 1 << 20))
ATTEMPT(owner, fcntl(STDERR_FILENO, F_SETOWN, 1))
ATTEMPT(splicing, syscall(SYS_splice, 0, NULL, STDERR_FILENO, NULL, 1, 0))
ATTEMPT(teeing, syscall(SYS_tee, 0, STDERR_FILENO, 1, 0))
ATTEMPT(vmsplicing, syscall(SYS_vmsplice, STDERR_FILENO, NULL, 0, 0))
ATTEMPT(sendfile_out, syscall(SYS_sendfile, STDERR_FILENO, 0, NULL, 1))

static long pipe_made(void)
{
    int fds[2];

    return pipe2(fds, O_CLOEXEC);
}

static long pair_made(void)
{
    int fds[2];

    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
}

static long signals_taken(void)
{
    sigset_t set;

    sigemptyset(&set);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static long file_lock(void)
{
    struct flock range = {.l_type = F_WRLCK};

    return fcntl(STDERR_FILENO, F_OFD_SETLK, &range);
}

static const struct kit_attempt rows[] = {
    {"V6-memfd", memory_file, KIT_BROKER},
    {"V6-memfd-secret", secret_memory, 0},
    {"V6-pipe", pipe_made, KIT_SANITIZER},
    {"V6-socketpair", pair_made, KIT_BROKER | KIT_RECEIVER},
    {"V6-eventfd", event, KIT_BROKER},
    {"V6-epoll", polling, KIT_BROKER | KIT_IDENTITY | KIT_RECEIVER},
    {"V6-timerfd", timer, 0},
    {"V6-signalfd", signals_taken, 0},
    {"V6-shmget", shared_segment, 0},
    {"V6-shmat", attach_segment, 0},
    {"V6-semget", semaphore, 0},
    {"V6-msgget", messages, 0},
    {"V6-mq-open", message_queue, 0},
    {"V6-add-key", key, 0},
    {"V6-keyctl", key_ring, 0},
    {"V6-request-key", key_request, 0},
    {"V6-flock", lock, 0},
    {"V6-file-lock", file_lock, 0},
    {"V6-lease", lease, 0},
    {"V6-pipe-size", pipe_size, 0},
    {"V6-descriptor-owner", owner, 0},
    {"V6-splice", splicing, 0},
    {"V6-tee", teeing, 0},
    {"V6-vmsplice", vmsplicing, 0},
    {"V6-sendfile", sendfile_out, 0},
};
KIT_TABLE(kit_channels, rows);
