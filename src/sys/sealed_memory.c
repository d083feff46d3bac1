/*
 * Memory that is filled once and then nobody can change.
 *
 * What was checked is what is used: a file is read once, into memory that is sealed, and from then
 * on neither whoever may write the file nor whoever gets the memory can change a byte of it. Since
 * 6.3 the kernel wants to know whether it is meant to be executed; before, it does not ask.
 */
#include "sys/sealed_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

int sealed_memory_new(const char *name, bool is_executable)
{
    unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create(name, flags | (is_executable ? MFD_EXEC : MFD_NOEXEC_SEAL));

    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create(name, flags); /* before 6.3 */
    }
    return fd < 0 ? -errno : fd;
}

int sealed_memory_copy(int memory, int from, off_t n_bytes)
{
    off_t done = 0;

    while (done < n_bytes) {
        ssize_t n = sendfile(memory, from, NULL, (size_t)(n_bytes - done));

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        if (n == 0) {
            return -ESTALE;
        }
        done += n > 0 ? n : 0;
    }
    return 0;
}

int sealed_memory_seal(int memory)
{
    return fcntl(memory, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0
               ? -errno
               : 0;
}
