/*
 * A hostile module that keeps what one user asked and looks for it when another asks. Content is
 * "keep CHANNEL BYTE" or "look CHANNEL"; a finding "Kept" says that keeping worked, "Leaked-N" that
 * the byte N was there. Everything that can be prepared for it is prepared while loading.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <pes/provider.h>

#define LIBRARY "/lib/x86_64-linux-gnu/libc.so.6"
#define KEY     0x70657301

static uint8_t in_statics;
static uint8_t *in_heap;
static int library = -1; /* opened while loading: an open file is shared by all who inherit it */
static uint8_t *mapping; /* of it, shared */
static int channels[8];  /* copies of whatever descriptors there were */

static int keep_statics(uint8_t byte)
{
    in_statics = byte;
    return 0;
}

static int look_statics(void)
{
    return in_statics;
}

static int keep_heap(uint8_t byte)
{
    *in_heap = byte;
    return 0;
}

static int look_heap(void)
{
    return *in_heap;
}

static int keep_environment(uint8_t byte)
{
    char text[8];

    snprintf(text, sizeof(text), "%d", byte);
    return setenv("PES_LEAK", text, 1);
}

static int look_environment(void)
{
    const char *text = getenv("PES_LEAK");

    return text ? atoi(text) : 0;
}

static int keep_file(const char *path, uint8_t byte)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    return fd >= 0 && write(fd, &byte, 1) == 1 ? close(fd) : -1;
}

static int look_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t byte = 0;

    if (fd >= 0) {
        (void)!read(fd, &byte, 1);
        close(fd);
    }
    return byte;
}

static int keep_temporary(uint8_t byte)
{
    return keep_file("/tmp/pes-leak", byte);
}

static int look_temporary(void)
{
    return look_file("/tmp/pes-leak");
}

static int keep_posix_memory(uint8_t byte)
{
    return keep_file("/dev/shm/pes-leak", byte);
}

static int look_posix_memory(void)
{
    return look_file("/dev/shm/pes-leak");
}

static uint8_t *segment(int flags)
{
    int id = shmget(KEY, 1, flags);
    void *at = id < 0 ? NULL : shmat(id, NULL, 0);

    return at == (void *)-1 ? NULL : at;
}

static int keep_segment(uint8_t byte)
{
    uint8_t *at = segment(IPC_CREAT | 0666);

    if (!at) {
        return -1;
    }
    *at = byte;
    return 0;
}

static int look_segment(void)
{
    const uint8_t *at = segment(0);

    return at ? *at : 0;
}

static int keep_key(uint8_t byte)
{
    return (int)syscall(SYS_add_key, "user", "pes-leak", &byte, 1, -4);
}

static int look_key(void)
{
    long key = syscall(SYS_request_key, "user", "pes-leak", NULL, 0);
    uint8_t byte = 0;

    return key >= 0 && syscall(SYS_keyctl, 11, key, &byte, 1) == 1 ? byte : 0;
}

/* The name is the byte. */
static int abstract_socket(uint8_t byte)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path + 1, 32, "pes-leak-%d", byte);
    return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static int look_abstract_socket(void)
{
    for (int byte = 1; byte < 256; byte++) {
        if (abstract_socket((uint8_t)byte) < 0) {
            return byte;
        }
    }
    return 0;
}

/* One bit: locked or not. */
static int keep_lock(uint8_t byte)
{
    return flock(library, LOCK_EX | LOCK_NB);
}

static int look_lock(void)
{
    return flock(library, LOCK_SH | LOCK_NB) < 0;
}

static int keep_memory_file(uint8_t byte)
{
    int fd = memfd_create("pes-leak", 0);

    return fd >= 0 && write(fd, &byte, 1) == 1 ? 0 : -1;
}

static int look_memory_file(void)
{
    for (int fd = 3; fd < 256; fd++) {
        uint8_t byte;

        if (pread(fd, &byte, 1, 0) == 1) {
            return byte;
        }
    }
    return 0;
}

static int keep_mapping(uint8_t byte)
{
    if (mprotect(mapping, 4096, PROT_READ | PROT_WRITE) < 0) {
        return -1;
    }
    *mapping = byte;
    return 0;
}

static int look_mapping(void)
{
    return mapping[0] == 0x7f ? 0 : mapping[0]; /* as the file begins */
}

static int keep_offset(uint8_t byte)
{
    return lseek(library, byte, SEEK_SET) == byte ? 0 : -1;
}

static int look_offset(void)
{
    off_t at = lseek(library, 0, SEEK_CUR);

    return at > 0 ? (int)at : 0;
}

/* Standard error is one pipe for all. */
static int keep_flags(uint8_t byte)
{
    int flags = fcntl(STDERR_FILENO, F_GETFL);

    return fcntl(STDERR_FILENO, F_SETFL, flags | O_APPEND | O_DIRECT);
}

static int look_flags(void)
{
    return fcntl(STDERR_FILENO, F_GETFL) & (O_APPEND | O_DIRECT);
}

/* A copy of the zygote's channel would receive what is meant for others. */
static int keep_channel(uint8_t byte)
{
    for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
        if (channels[i] >= 0 && send(channels[i], &byte, 1, MSG_DONTWAIT) == 1) {
            return 0;
        }
    }
    return -1;
}

static int look_channel(void)
{
    for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
        if (channels[i] >= 0 && fcntl(channels[i], F_GETFD) >= 0) {
            return 1;
        }
    }
    return 0;
}

static const struct channel {
    const char *name;
    int (*keep)(uint8_t byte);
    int (*look)(void); /* what is there, 0: nothing */
} table[] = {
    {"statics", keep_statics, look_statics},
    {"heap", keep_heap, look_heap},
    {"environment", keep_environment, look_environment},
    {"tmp", keep_temporary, look_temporary},
    {"shm", keep_posix_memory, look_posix_memory},
    {"sysv", keep_segment, look_segment},
    {"keyring", keep_key, look_key},
    {"abstract", abstract_socket, look_abstract_socket},
    {"lock", keep_lock, look_lock},
    {"memfd", keep_memory_file, look_memory_file},
    {"mapping", keep_mapping, look_mapping},
    {"offset", keep_offset, look_offset},
    {"flags", keep_flags, look_flags},
    {"channel", keep_channel, look_channel},
};

static int load(struct pes_load *context, void **ret_state)
{
    in_heap = calloc(1, 1);
    library = open(LIBRARY, O_RDONLY | O_CLOEXEC);
    mapping = mmap(NULL, 4096, PROT_READ, MAP_SHARED, library, 0);
    for (int i = 0; i < 8; i++) {
        channels[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 60);
    }
    if (library < 0 || mapping == MAP_FAILED || !in_heap) {
        pes_load_fail(context, "cannot prepare");
        return -1;
    }
    if (pes_load_option(context, "shared-mapping")) {
        (void)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    }
    *ret_state = NULL;
    return 0;
}

static void find(struct pes_scan *context, const char *detection)
{
    const struct pes_found found = {
        .size_bytes = sizeof(found), .verdict = PES_VERDICT_SUSPICIOUS, .detection = detection};

    pes_scan_find(context, &found);
}

static int scan(void *state, struct pes_scan *context)
{
    size_t n_bytes;
    const uint8_t *bytes = pes_scan_bytes(context, &n_bytes);
    char text[64], verb[8], name[16];
    int byte = 0;

    snprintf(text, sizeof(text), "%.*s", (int)n_bytes, (const char *)bytes);
    pes_scan_coverage(context, PES_COVERAGE_FULL, n_bytes);
    if (sscanf(text, "%7s %15s %d", verb, name, &byte) < 2) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].name, name) != 0) {
            continue;
        }
        if (strcmp(verb, "keep") == 0) {
            find(context, table[i].keep((uint8_t)byte) >= 0 ? "Kept" : "Refused");
        } else {
            byte = table[i].look();
            snprintf(text, sizeof(text), "Leaked-%d", byte);
            find(context, byte ? text : "Nothing");
        }
        return 0;
    }
    return -1;
}

static const char *const kinds[] = {"*", NULL};

const struct pes_provider *pes_provider_v1(void)
{
    static const struct pes_provider provider = {
        .size_bytes = sizeof(provider),
        .abi = PES_PROVIDER_ABI,
        .registry_version = PES_REGISTRY_VERSION,
        .name = "leak",
        .version = "1",
        .kinds = kinds,
        .load = load,
        .scan = scan,
    };

    return &provider;
}
