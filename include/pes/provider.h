/*
 * Providing: what a module that judges content exports and may call.
 *
 * A provider is a shared object with one exported function, pes_provider_v1(). pes loads it into a
 * sandboxed process of its own, never into an application and never into the broker; whatever it
 * does there, crash and hang included, costs nobody more than its own part of an answer, and it is
 * named for it. It links nothing of pes: the functions below are in the process that loads it.
 *
 * Life: pes_provider_v1() -> load() once, in the process that later forks the workers -> samples()
 * -> scan() many times in each worker -> the worker is ended without a call. State made by load()
 * is shared copy-on-write.
 *
 * Threads: none. Everything is called on one thread, and the sandbox lets a module start no other.
 *
 * Not allowed in load(): sockets, processes, threads, pipes, memfds, shared writable memory,
 * writing files; reading is allowed below the definitions and in the library folders, other files
 * fail with EACCES. In scan(), besides: opening anything (EACCES), executable memory. Descriptors
 * that load() opened are closed there; what it has mapped stays. Any other forbidden system call
 * ends the process with SIGSYS. Standard error goes to the log, ten lines a
 * second.
 *
 * With `scratch-mib` in its configuration a provider has a folder for temporary files,
 * pes_load_scratch(), and may in scan() make, read, write and remove files and folders there, and
 * nowhere else. It is emptied after each scan.
 *
 * Limits: 8 GiB of address space while loading, afterwards what is loaded and 512 MiB more (or
 * `memory_mib`); processor time as long as the question lasts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <pes/enums.h>
#include <pes/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of struct pes_provider and of the calls below. */
#define PES_PROVIDER_ABI 1

struct pes_load;
struct pes_scan;

/** A sample that proves that the provider works: scan(), in a worker, must come to this verdict
 * before the provider serves. At most 32 KiB. */
struct pes_sample {
    uint32_t kind;    /* enum pes_kind */
    uint32_t verdict; /* enum pes_verdict that scan() must come to */
    const void *bytes;
    size_t n_bytes;
};

/** What a provider is, in the flags of struct pes_provider. Flags that the host does not know are
 * refused. */
enum pes_provider_flags {
    /* It looks at the bytes as they are and unpacks nothing. Where it found nothing in an archive,
     * a compressed file, a document or a mail with encoded parts, its PES_COVERAGE_FULL counts as
     * PES_COVERAGE_UNSUPPORTED: it has seen the wrapping. An engine that unpacks leaves the flag
     * out, and states its coverage itself, format by format. Since 0.1. */
    PES_PROVIDER_RAW = 1u << 0,
    /* What it finds in the beginning of a content holds for the whole, however it goes on. It may
     * be asked about a stream before all of it has come, again when there is twice as much, and
     * about the whole in the end; only findings count before that. An engine that reads a
     * structure, an end or a digest needs the whole, and leaves the flag out. Samples that must be
     * found are tried with more behind them, too. Since 0.1. */
    PES_PROVIDER_PREFIX = 1u << 1,
};

/** What a module exports. Fields beyond size_bytes are taken as zero, so that the struct can grow.
 */
struct pes_provider {
    uint32_t size_bytes; /* sizeof(struct pes_provider) */
    uint32_t abi;        /* PES_PROVIDER_ABI */
    uint32_t
        registry_version; /* PES_REGISTRY_VERSION; kinds younger than that are never delivered */
    const char *name;     /* [a-z0-9-], at most 32 characters */
    const char *version;  /* at most 63 characters, printable ASCII */
    const char *const *kinds; /* names or "prefix.*", ends with NULL */

    /* Loads definitions. Returns 0 and the state, or -1 after pes_load_fail(). May be NULL. */
    int (*load)(struct pes_load *load, void **ret_state);

    /* Judges one content. Returns 0, or -1 when it could not: the part then counts as not examined.
     */
    int (*scan)(void *state, struct pes_scan *scan);

    /* Gives samples; the array must stay. Returns their number. May be NULL: then nothing is
     * proven. */
    size_t (*samples)(void *state, const struct pes_sample **ret_samples);

    uint32_t flags; /* enum pes_provider_flags */
};

/** A finding. Names are of [A-Za-z0-9._:/!-]; other characters are replaced by '_', longer ones are
 * cut. A verdict that is none, or unknown to the host, counts as PES_VERDICT_SUSPICIOUS. */
struct pes_found {
    uint32_t size_bytes;   /* sizeof(struct pes_found) */
    uint32_t verdict;      /* enum pes_verdict */
    uint32_t severity;     /* enum pes_severity */
    uint32_t confidence;   /* 1 to 100, 0: not stated */
    uint32_t advice;       /* enum pes_advice */
    const char *detection; /* name to show, at most 128 bytes; required */
    const char *family;    /* at most 64 bytes, or NULL */
    const char *rule_id;   /* the provider's own id, at most 128 bytes, or NULL */
    const char *technique; /* MITRE ATT&CK id, at most 16 bytes, or NULL */
};

/**
 * pes_provider_v1() - the one symbol that a module exports
 *
 * Return: the description.
 * Ownership: the module's; must stay.
 * Threads: called once, before anything else.
 * Since: 0.1
 */
PES_PUBLIC const struct pes_provider *pes_provider_v1(void);

/**
 * pes_load_definitions() - where the definitions are
 * @load: as given to load()
 *
 * Return: path of the configured file or folder, or several separated by ':' (at most 8); NULL when
 * none is configured.
 * Ownership: borrowed until load() returns.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_load_definitions(const struct pes_load *load);

/**
 * pes_load_option() - an option from the provider's configuration
 * @load: as given to load()
 * @name: option
 *
 * Return: its value, or NULL when it is not set.
 * Ownership: borrowed until load() returns.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_load_option(const struct pes_load *load, const char *name);

/**
 * pes_load_scratch() - where temporary files may be
 * @load: as given to load()
 *
 * The folder is the worker's own, empty at the start of each scan(), in memory and of limited size
 * (`scratch-mib`, then writing fails with ENOSPC). It can be used in scan() alone.
 *
 * Return: its path, the same in every worker; NULL when there is none, because the configuration
 * does not ask for one or the kernel does not let pes make one.
 * Ownership: static.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_load_scratch(const struct pes_load *load);

/**
 * pes_load_version() - state the version of the definitions
 * @load:    as given to load()
 * @version: at most 63 printable characters; a date, a count or a digest
 *
 * Ownership: @version is copied.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC void pes_load_version(struct pes_load *load, const char *version);

/**
 * pes_load_note() - say something that the administrator should know
 * @load:   as given to load()
 * @format: as printf(), one line; a later note is appended, 511 bytes in all
 *
 * Shown by `pes providers`, for example how many rules were loaded.
 *
 * Ownership: copied.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC void pes_load_note(struct pes_load *load, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * pes_load_fail() - say why loading failed
 * @load:   as given to load()
 * @format: as printf(): file, line, what is wrong and what to do; one line, 511 bytes
 *
 * Ownership: copied.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC void pes_load_fail(struct pes_load *load, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * pes_scan_kind() - what is scanned
 * @scan: as given to scan()
 *
 * Return: enum pes_kind, one that the provider declared.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC uint32_t pes_scan_kind(const struct pes_scan *scan);

/**
 * pes_scan_bytes() - the content
 * @scan:        as given to scan()
 * @ret_n_bytes: its length
 *
 * Return: the bytes, read-only and unchanging; never NULL, even for no bytes.
 * Ownership: borrowed until scan() returns.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC const uint8_t *pes_scan_bytes(const struct pes_scan *scan, size_t *ret_n_bytes);

/**
 * pes_scan_text() - a text field of the context
 * @scan:        as given to scan()
 * @field:       enum pes_field; the PES_VERIFIED_ ones come from the broker, all others are the
 * client's claims
 * @ret_n_bytes: its length
 *
 * Return: the bytes (not terminated, any values), or NULL when the field was not given.
 * Ownership: borrowed until scan() returns.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_scan_text(const struct pes_scan *scan, uint32_t field,
                                     size_t *ret_n_bytes);

/**
 * pes_scan_number() - a number field of the context
 * @scan:  as given to scan()
 * @field: enum pes_field, as for pes_scan_text()
 *
 * Return: its value, or 0 when the field was not given.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC uint64_t pes_scan_number(const struct pes_scan *scan, uint32_t field);

/**
 * pes_scan_flags() - how to answer
 * @scan: as given to scan()
 *
 * Return: pes_scan_flags.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC uint32_t pes_scan_flags(const struct pes_scan *scan);

/**
 * pes_scan_time_left_us() - time until the worker is ended
 * @scan: as given to scan()
 *
 * Return: microseconds; 0 when it is time to stop and answer with PES_COVERAGE_PARTIAL_TIME.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC uint64_t pes_scan_time_left_us(const struct pes_scan *scan);

/**
 * pes_scan_find() - report a finding
 * @scan:  as given to scan()
 * @found: what
 *
 * The answer's verdict is the worst of its findings. The 16 worst are kept, all are counted. A
 * worse one may take the place, and the index, of one that was kept; its evidence goes with it.
 *
 * Return: index of the finding for pes_scan_evidence(), or -1 when it was not kept.
 * Ownership: @found is copied.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC int pes_scan_find(struct pes_scan *scan, const struct pes_found *found);

/**
 * pes_scan_evidence() - say where in the content a finding lies
 * @scan:    as given to scan()
 * @finding: index from pes_scan_find(); -1 is ignored
 * @offset:  first byte
 * @length:  number of bytes
 * @what:    name of what is there, at most 64 bytes, or NULL
 *
 * At most 32 ranges are kept, those of the worst findings first. What lies outside of the content
 * is left out.
 *
 * Ownership: @what is copied.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC void pes_scan_evidence(struct pes_scan *scan, int finding, uint64_t offset,
                                  uint64_t length, const char *what);

/**
 * pes_scan_decoded() - show what the content decodes to
 * @scan:    as given to scan()
 * @bytes:   decoded view; the first 1024 bytes are kept
 * @n_bytes: its length
 *
 * Ownership: @bytes is copied.
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC void pes_scan_decoded(struct pes_scan *scan, const void *bytes, size_t n_bytes);

/**
 * pes_scan_verdict() - state a verdict without a finding
 * @scan:    as given to scan()
 * @verdict: PES_VERDICT_NOT_DETECTED (the default), PES_VERDICT_KNOWN_GOOD or
 * PES_VERDICT_NO_OPINION
 *
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC void pes_scan_verdict(struct pes_scan *scan, uint32_t verdict);

/**
 * pes_scan_coverage() - state how much was examined; without this call nothing counts as examined
 * @scan:           as given to scan()
 * @coverage:       enum pes_coverage
 * @bytes_examined: bytes of the content that were looked at
 *
 * PES_COVERAGE_FULL goes with the length of the content, and with nothing less: with fewer bytes it
 * counts as PES_COVERAGE_PARTIAL_SIZE. More bytes than there are count as all. Of a provider with
 * PES_PROVIDER_RAW that found nothing in a packed format it counts as PES_COVERAGE_UNSUPPORTED.
 *
 * Threads: the only one.
 * Since: 0.1
 */
PES_PUBLIC void pes_scan_coverage(struct pes_scan *scan, uint32_t coverage,
                                  uint64_t bytes_examined);

#ifdef __cplusplus
}
#endif
