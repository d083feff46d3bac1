/* V8, V13, V17: memory that is executable, shared and writable, or the content itself. */
#include <stdint.h>
#include <sys/mman.h>

#include "kit_attempt.h"

#define SIZE 4096

static long mapped(int protection, int flags, int fd)
{
    return mmap(NULL, SIZE, protection, flags, fd, 0) == MAP_FAILED ? -1 : 0;
}

static long protected(int first, int flags, int then)
{
    void *at = mmap(NULL, SIZE, first, flags | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? -1 : mprotect(at, SIZE, then);
}

ATTEMPT(executable, mapped(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1))
ATTEMPT(all_of_it, mapped(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1))
ATTEMPT(executable_file, mapped(PROT_READ | PROT_EXEC, MAP_PRIVATE, STDIN_FILENO))
ATTEMPT(later_executable, protected(PROT_READ | PROT_WRITE, MAP_PRIVATE, PROT_READ | PROT_EXEC))
ATTEMPT(key_protect, syscall(SYS_pkey_mprotect, NULL, SIZE, PROT_EXEC, -1))
ATTEMPT(shared, mapped(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1))
ATTEMPT(shared_read_only, mapped(PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1))
ATTEMPT(shared_strictly, mapped(PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1))
ATTEMPT(later_shared, protected(PROT_READ, MAP_SHARED, PROT_READ | PROT_WRITE))
ATTEMPT(shared_file, mapped(PROT_READ | PROT_WRITE, MAP_SHARED, STDIN_FILENO))
ATTEMPT(remapped, syscall(SYS_remap_file_pages, NULL, SIZE, 0, 0, 0))
ATTEMPT(faults, syscall(SYS_userfaultfd, O_CLOEXEC))
/* Not libc's: a sanitizer's runtime makes these do nothing. */
ATTEMPT(locked, syscall(SYS_mlock, &kit_n_content, 1))
ATTEMPT(all_locked, syscall(SYS_mlockall, MCL_FUTURE))
ATTEMPT(bound, syscall(SYS_mbind, NULL, SIZE, 0, NULL, 0, 0))
ATTEMPT(migrated, syscall(SYS_migrate_pages, 0, 0, NULL, NULL))
ATTEMPT(sealed, syscall(462, NULL, SIZE, 0)) /* mseal, 6.10 */
ATTEMPT(swapped, syscall(SYS_swapon, "/tmp/pes-escape", 0))

/* Content of more than 32 KiB is a mapping of a sealed memfd. */
static long content_writable(void)
{
    uintptr_t at = (uintptr_t)kit_content & ~(uintptr_t)(SIZE - 1);

    if (kit_n_content <= SIZE) {
        errno = EACCES; /* a copy in our own memory: there is nothing to break */
        return -1;
    }
    return mprotect((void *)at, SIZE, PROT_READ | PROT_WRITE);
}

static long content_executable(void)
{
    uintptr_t at = (uintptr_t)kit_content & ~(uintptr_t)(SIZE - 1);

    return mprotect((void *)at, SIZE, PROT_READ | PROT_EXEC);
}

/* Libraries and definitions are the only files that are ever open: one might still be. */
static long write_any_descriptor(void)
{
    for (int fd = 3; fd < 64; fd++) {
        if (ftruncate(fd, 0) == 0) {
            return 0;
        }
    }
    return -1;
}

static const struct kit_attempt rows[] = {
    {"V17-executable", executable, KIT_ZYGOTE},
    {"V17-executable-writable", all_of_it, KIT_ZYGOTE},
    {"V17-executable-file", executable_file, KIT_ZYGOTE},
    {"V17-executable-later", later_executable, KIT_ZYGOTE},
    {"V17-pkey-mprotect", key_protect, 0},
    {"V6-shared", shared, 0},
    {"V6-shared-read-only", shared_read_only, 0},
    {"V6-shared-validate", shared_strictly, 0},
    {"V6-shared-later", later_shared, 0},
    {"V6-shared-file", shared_file, KIT_BROKER},
    {"V17-remap-file-pages", remapped, 0},
    {"V18-userfaultfd", faults, 0},
    {"V13-mlock", locked, 0},
    {"V13-mlockall", all_locked, 0},
    {"V13-mbind", bound, 0},
    {"V13-migrate-pages", migrated, 0},
    {"V18-mseal", sealed, 0},
    {"V18-swapon", swapped, 0},
    {"V8-content-writable", content_writable,
     KIT_ZYGOTE | KIT_BROKER | KIT_IDENTITY | KIT_RECEIVER | KIT_INIT},
    {"V17-content-executable", content_executable, KIT_ZYGOTE},
    {"V8-truncate-any", write_any_descriptor, KIT_BROKER},
};
KIT_TABLE(kit_memory, rows);
