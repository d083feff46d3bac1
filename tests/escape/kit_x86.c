/* V18: doors that only this processor has. */
#include <asm/prctl.h>

#include "kit_attempt.h"

ATTEMPT(segments, syscall(SYS_modify_ldt, 0, NULL, 0))
ATTEMPT(ports, syscall(SYS_iopl, 3))
ATTEMPT(some_ports, syscall(SYS_ioperm, 0, 1, 1))
ATTEMPT(thread_pointer, syscall(SYS_arch_prctl, ARCH_SET_GS, 1))

/* getpid() the 32-bit way; a kernel without that ends the process by SIGSEGV. */
static long old_gate(void)
{
    long r;

    __asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
    return r;
}

static const struct kit_attempt rows[] = {
    {"V18-modify-ldt", segments, 0},  {"V18-iopl", ports, 0},
    {"V18-ioperm", some_ports, 0},    {"V18-arch-prctl", thread_pointer, 0},
    {"V18-32-bit-call", old_gate, 0},
};
KIT_TABLE(kit_processor, rows);
