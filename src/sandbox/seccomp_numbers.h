/*
 * Numbers of system calls, also of those that this architecture or these kernel headers lack.
 *
 * The generic table (aarch64) has no open(), stat() and the like: they are SECCOMP_NO_CALL there,
 * and rows for them vanish. Calls younger than the headers have the same number everywhere.
 */
#pragma once

#include <linux/audit.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define SECCOMP_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SECCOMP_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no system call table for this architecture yet"
#endif

#ifndef __NR_open
#define __NR_open SECCOMP_NO_CALL
#endif
#ifndef __NR_stat
#define __NR_stat SECCOMP_NO_CALL
#endif
#ifndef __NR_lstat
#define __NR_lstat SECCOMP_NO_CALL
#endif
#ifndef __NR_access
#define __NR_access SECCOMP_NO_CALL
#endif
#ifndef __NR_readlink
#define __NR_readlink SECCOMP_NO_CALL
#endif
#ifndef __NR_mkdir
#define __NR_mkdir SECCOMP_NO_CALL
#endif
#ifndef __NR_rmdir
#define __NR_rmdir SECCOMP_NO_CALL
#endif
#ifndef __NR_unlink
#define __NR_unlink SECCOMP_NO_CALL
#endif
#ifndef __NR_chmod
#define __NR_chmod SECCOMP_NO_CALL
#endif
#ifndef __NR_getdents
#define __NR_getdents SECCOMP_NO_CALL
#endif
#ifndef __NR_poll
#define __NR_poll SECCOMP_NO_CALL
#endif
#ifndef __NR_select
#define __NR_select SECCOMP_NO_CALL
#endif
#ifndef __NR_pipe
#define __NR_pipe SECCOMP_NO_CALL
#endif
#ifndef __NR_time
#define __NR_time SECCOMP_NO_CALL
#endif
#ifndef __NR_getrlimit
#define __NR_getrlimit SECCOMP_NO_CALL
#endif
#ifndef __NR_epoll_wait
#define __NR_epoll_wait SECCOMP_NO_CALL
#endif
#ifndef __NR_arch_prctl
#define __NR_arch_prctl SECCOMP_NO_CALL
#endif
#ifndef __NR_epoll_pwait2
#define __NR_epoll_pwait2 441
#endif
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule       445
#define __NR_landlock_restrict_self  446
#endif
