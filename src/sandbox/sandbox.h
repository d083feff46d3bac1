/*
 * What a process of pes gives up, mechanism by mechanism. Each call acts on the calling process,
 * for good, and returns 0, -errno, or SANDBOX_E_ABSENT when the kernel does not have the mechanism.
 *
 * All but seccomp need nothing before; sandbox_seccomp_apply() and sandbox_landlock_apply() need
 * sandbox_no_new_privs().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "sandbox/seccomp_filter.h"

enum sandbox_outcome {
    SANDBOX_E_ABSENT = 1, /* this kernel (or its configuration) does not have it */
};

/* No program that is started from here on gains rights. */
MUST_CHECK int sandbox_no_new_privs(void);

/* No core dump, not even a piped one, no ptrace by others of the same uid. */
MUST_CHECK int sandbox_not_dumpable(void);

/* SIGKILL when the parent (the thread that forked us) ends. Nothing comes for a parent that has
 * ended before this call: who has no channel that closes then calls sandbox_die_with(). */
MUST_CHECK int sandbox_die_with_parent(void);

/* The same for a known parent; -ESRCH when it has ended before. */
MUST_CHECK int sandbox_die_with(pid_t parent);

/* Gives up every capability, also in a user namespace. */
MUST_CHECK int sandbox_drop_capabilities(void);

/* System calls: what is not in the profile ends the process with SIGSYS. */
MUST_CHECK int sandbox_seccomp_apply(const struct seccomp_profile *profile);

/* Reviewed profiles (seccomp_profiles.c; sanitizer builds add seccomp_extra_sanitizer.c). */
extern const struct seccomp_profile seccomp_profile_broker;
extern const struct seccomp_profile seccomp_profile_identity;
extern const struct seccomp_profile seccomp_profile_receiver;
extern const struct seccomp_profile seccomp_profile_verify;   /* pes-verify */
extern const struct seccomp_profile seccomp_profile_init;     /* once the zygote runs */
extern const struct seccomp_profile seccomp_profile_provider; /* phase 1: before foreign code */
/* On top of it where neither Landlock nor a pid namespace keeps signals in. */
extern const struct seccomp_profile seccomp_profile_provider_signals;
extern const struct seccomp_profile seccomp_profile_worker; /* phase 2: before content */
/* The same three for a provider that has scratch folders. */
extern const struct seccomp_profile seccomp_profile_init_scratch;
extern const struct seccomp_profile seccomp_profile_provider_scratch;
extern const struct seccomp_profile seccomp_profile_worker_scratch;

/* A path that may be used, and how. */
struct landlock_path {
    const char *path;
    uint64_t access; /* LANDLOCK_READ, LANDLOCK_EXECUTE */
};

#define LANDLOCK_READ    1u /* read files and list folders */
#define LANDLOCK_EXECUTE 2u /* map as program text */

/* Everything below these paths, and nothing else: no other file, no TCP, no signal out of here. A
 * path that does not exist is left out. */
struct landlock_rules {
    const struct landlock_path *paths;
    size_t n_paths;
    int scratch_fd; /* first of `n_scratch` folders: files are made, written and removed there */
    size_t n_scratch;
    bool leaves_signals; /* signals may go anywhere */
};

/* Files, as far as this kernel's Landlock goes (ABI 1 files, 4 TCP, 6 signals and abstract
 * sockets). `rules` may be NULL: nothing at all. */
MUST_CHECK int sandbox_landlock_apply(const struct landlock_rules *rules);

/* Version of Landlock's interface, 0 when there is none. */
int sandbox_landlock_abi(void);

/* Limits of a provider process. */
struct sandbox_rlimits {
    uint64_t address_space_bytes; /* 0: leave alone */
    uint64_t n_files;
    uint64_t n_processes;   /* means nothing to uid 0 */
    uint64_t written_bytes; /* of one file; 0: no file is written */
};

/* Sets these, and no core dump. */
MUST_CHECK int sandbox_rlimits_apply(const struct sandbox_rlimits *limits);

/* Whether an address space limit can be used here at all (not with a sanitizer's runtime). */
extern const bool sandbox_limits_address_space;

/*
 * A folder for temporary files: an empty file system in memory that has no name anywhere and is
 * gone with the last descriptor. It holds `n_bytes` at most, belongs to `uid` and `gid`, and
 * executes nothing. Needs the right to mount. Returns 0, or -errno (-EPERM: no such right).
 */
MUST_CHECK int sandbox_scratch_make(uint64_t n_bytes, uint32_t uid, uint32_t gid, int *ret_fd);

/* Empties it; `fd` is its root. For a tree that was made under seccomp_profile_worker_scratch,
 * which makes no folder that its owner cannot enter. Returns 0 or -errno. */
MUST_CHECK int sandbox_scratch_wipe(int fd);

/* Which namespaces there are to have. */
enum sandbox_namespace {
    SANDBOX_NS_USER = 1u << 0,
    SANDBOX_NS_PID = 1u << 1,
    SANDBOX_NS_NET = 1u << 2,
    SANDBOX_NS_IPC = 1u << 3,
    SANDBOX_NS_UTS = 1u << 4,
    SANDBOX_NS_MNT = 1u << 5,
};
#define SANDBOX_NS_ALL 0x3fu

/*
 * Leaves as many of `wanted` as the kernel lets us; SANDBOX_NS_USER maps the own uid and gid to
 * themselves and is tried first. The pid namespace is for the next child. Returns those that were
 * left, and in `ret_errors[bit]` the errno of each that was not.
 */
uint32_t sandbox_namespaces_leave(uint32_t wanted, int ret_errors[6]);

/* Name of one namespace, static. */
const char *sandbox_namespace_name(enum sandbox_namespace ns);

#define SANDBOX_TIER_BYTES 128

#define SANDBOX_TIER_MAX 2

/* The tier of a process that has left these namespaces: 0 (seccomp alone) to SANDBOX_TIER_MAX. */
int sandbox_tier_of(uint32_t namespaces);

/*
 * What a provider started from here would be contained by, such as
 * "T2 user+pid+net+ipc+uts+mnt namespaces, landlock 7, seccomp": tried out in a child. Returns the
 * tier, -1 when there is none.
 */
int sandbox_tier_text(char ret_text[SANDBOX_TIER_BYTES]);
