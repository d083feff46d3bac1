/*
 * Answers: one action for everybody, and everything behind it for those who look.
 *
 * Strings are UTF-8 without control, bidirectional-override or escape characters: they are safe to
 * show. They and all structures borrowed from an answer live until pes_answer_close().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <pes/enums.h>
#include <pes/version.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pes_answer;

/**
 * pes_answer_action() - what to do now
 * @answer: answer
 *
 * Return: one of enum pes_action that the application declared it can do: PES_GO, PES_ASK or
 * PES_STOP. Never zero.
 * Threads: as the context, or any one thread once the context is closed.
 * Since: 0.1
 */
PES_PUBLIC enum pes_action pes_answer_action(const struct pes_answer *answer);

/**
 * pes_answer_message() - what to tell the person
 * @answer: answer
 *
 * One to three sentences: what, who says so, what next, and a reference. Never empty.
 *
 * Return: terminated text.
 * Ownership: the answer's.
 * Threads: as pes_answer_action().
 * Since: 0.1
 */
PES_PUBLIC const char *pes_answer_message(const struct pes_answer *answer);

/** The answer in full. Set size_bytes = sizeof before the call; fields beyond it are left alone. */
struct pes_answer_info {
    uint32_t size_bytes;
    int error;               /* 0 or a negative PES_E_*: why there is no verdict */
    uint32_t verdict;        /* enum pes_verdict */
    uint32_t coverage;       /* enum pes_coverage */
    uint32_t disposition;    /* enum pes_disposition, in the mode in force */
    uint32_t would;          /* enum pes_disposition, were it enforced */
    uint32_t decided_by;     /* enum pes_decided_by */
    uint32_t action;         /* enum pes_action */
    uint32_t mode;           /* enum pes_mode in force; 0 without a broker */
    uint32_t message_id;     /* enum pes_message_id */
    uint32_t advice;         /* enum pes_advice */
    uint32_t retry_after_ms; /* with PES_E_QUOTA */
    uint32_t n_parts;        /* providers that took part, or should have */
    uint32_t deciding_part;  /* 1 + index of the part that decided; 0: none */
    uint64_t content_bytes;  /* length of the content, scanned or not */
    uint64_t wall_us;        /* submit to answer, as the application saw it, in us */
    uint64_t broker_us;      /* the broker's part of that, in us */
    const uint8_t *digest;   /* 32 bytes of SHA-256 of what was scanned, or NULL */
    const char *ref;         /* reference to quote, may be "" */
    const char *advice_text; /* what to do next, may be "" */
    const char *quota;       /* with PES_E_QUOTA: of what there are too many, may be "" */
};

/** One provider's part. Set size_bytes = sizeof before the call. */
struct pes_part {
    uint32_t size_bytes;
    uint32_t status;     /* enum pes_status */
    uint32_t signal;     /* with PES_STATUS_CRASHED: signal, or 0 */
    int exit_status;     /* with PES_STATUS_CRASHED: exit status, or -1 */
    uint32_t limit;      /* enum pes_limit, with PES_STATUS_RESOURCE_LIMIT */
    uint32_t verdict;    /* enum pes_verdict */
    uint32_t coverage;   /* enum pes_coverage */
    uint32_t mode;       /* enum pes_mode that this provider counts in */
    uint32_t n_findings; /* findings that were sent (at most 16, and only with PES_SCAN_WANT_DETAILS
                            more than 1) */
    uint32_t n_findings_total; /* findings there were */
    uint32_t n_evidence;       /* evidence ranges that were sent */
    uint64_t bytes_examined;
    uint64_t queue_us; /* waiting for a free worker, in us */
    uint64_t wall_us;  /* dispatch to answer, in us */
    uint64_t cpu_us;   /* processor time, in us */
    const char *name;
    const char *version;
    const char *definitions;
    const char *decoded; /* start of what the content decodes to, or "" */
};

/** One finding of a part. Set size_bytes = sizeof before the call. */
struct pes_finding {
    uint32_t size_bytes;
    uint32_t verdict;    /* enum pes_verdict */
    uint32_t severity;   /* enum pes_severity */
    uint32_t confidence; /* 0 (not stated) to 100 */
    uint32_t advice;     /* enum pes_advice */
    const char *detection;
    const char *family;
    const char *rule_id;
    const char *technique; /* MITRE ATT&CK id */
};

/** Where in the content a finding lies. Set size_bytes = sizeof before the call. */
struct pes_evidence {
    uint32_t size_bytes;
    uint32_t finding; /* index of the finding */
    uint64_t offset;  /* first byte */
    uint64_t length;  /* number of bytes */
    const char *what;
};

/**
 * pes_answer_info() - everything but the parts
 * @answer:   answer
 * @ret_info: filled as far as its size_bytes reaches
 *
 * Ownership: pointers in @ret_info are the answer's.
 * Threads: as pes_answer_action().
 * Since: 0.1
 */
PES_PUBLIC void pes_answer_info(const struct pes_answer *answer, struct pes_answer_info *ret_info);

/**
 * pes_answer_part() - one provider's part
 * @answer:   answer
 * @index:    0 .. n_parts - 1
 * @ret_part: filled as far as its size_bytes reaches
 *
 * Return: 0, or -PES_E_INVALID_ARGUMENT when there is no such part.
 * Ownership: pointers in @ret_part are the answer's.
 * Threads: as pes_answer_action().
 * Since: 0.1
 */
PES_PUBLIC int pes_answer_part(const struct pes_answer *answer, uint32_t index,
                               struct pes_part *ret_part);

/**
 * pes_answer_finding() - one finding of one part, worst first
 * @answer:      answer
 * @part:        0 .. n_parts - 1
 * @index:       0 .. n_findings - 1
 * @ret_finding: filled as far as its size_bytes reaches
 *
 * Return: 0, or -PES_E_INVALID_ARGUMENT when there is no such finding.
 * Ownership: pointers in @ret_finding are the answer's.
 * Threads: as pes_answer_action().
 * Since: 0.1
 */
PES_PUBLIC int pes_answer_finding(const struct pes_answer *answer, uint32_t part, uint32_t index,
                                  struct pes_finding *ret_finding);

/**
 * pes_answer_evidence() - one evidence range of one part
 * @answer:       answer
 * @part:         0 .. n_parts - 1
 * @index:        0 .. n_evidence - 1
 * @ret_evidence: filled as far as its size_bytes reaches
 *
 * Return: 0, or -PES_E_INVALID_ARGUMENT when there is no such range.
 * Ownership: pointers in @ret_evidence are the answer's.
 * Threads: as pes_answer_action().
 * Since: 0.1
 */
PES_PUBLIC int pes_answer_evidence(const struct pes_answer *answer, uint32_t part, uint32_t index,
                                   struct pes_evidence *ret_evidence);

/**
 * pes_answer_take_content() - exactly the bytes that were scanned
 * @answer: answer
 *
 * Use these instead of opening the file again: nobody can have changed them since they were
 * scanned. The pieces of a stream are copied into one here.
 *
 * Return: descriptor of a sealed memfd (read it with pread or mmap), or a negative PES_E_*:
 *   PES_E_INVALID_ARGUMENT  the request had no content, none was kept for want of a broker, not
 *                           all of a stream was sent, or it was taken before
 *   PES_E_NO_MEMORY         out of memory or descriptors
 * Ownership: the descriptor is the caller's.
 * Threads: as pes_answer_action().
 * Since: 0.1
 */
PES_PUBLIC int pes_answer_take_content(struct pes_answer *answer);

/**
 * pes_answer_close() - acknowledge and free
 * @answer: answer or NULL
 * @did:    enum pes_did: what the application finally did
 *
 * The acknowledgement reaches the broker if the context is still open; it is never waited for. When
 * nothing was found and the application could go on, it travels with the context's next question,
 * or goes with the next pes_process() (at the latest when pes_wait_ms() has passed) or pes_close(),
 * whatever comes first: an application that ends without may leave the last 16 of these unsaid.
 * Every other acknowledgement is sent at once.
 *
 * Ownership: frees @answer.
 * Threads: as pes_answer_action().
 * Since: 0.1
 */
PES_PUBLIC void pes_answer_close(struct pes_answer *answer, enum pes_did did);

#ifdef __cplusplus
}
#endif
