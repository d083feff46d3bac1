/* What a worker answers: collects what the module says, and makes one Result of it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pes/provider.h>

#include "base/cleanup.h"
#include "wire/codec.h"

#define ANSWER_FINDINGS_MAX 16
#define ANSWER_EVIDENCE_MAX 32
#define ANSWER_DECODED_MAX  1024

struct answer_finding {
    uint32_t verdict;
    uint32_t severity;
    uint32_t confidence;
    uint32_t advice;
    uint32_t order; /* of arrival */
    char detection[129];
    char family[65];
    char rule_id[129];
    char technique[17];
};

struct answer_evidence {
    uint32_t finding; /* index into findings */
    uint64_t offset;
    uint64_t length;
    char what[65];
};

struct answer {
    struct answer_finding findings[ANSWER_FINDINGS_MAX]; /* in no order */
    size_t n_findings;
    uint32_t n_findings_total;
    struct answer_evidence evidence[ANSWER_EVIDENCE_MAX];
    size_t n_evidence;
    uint8_t decoded[ANSWER_DECODED_MAX];
    size_t n_decoded;
    uint32_t verdict; /* without a finding */
    uint32_t coverage;
    uint64_t bytes_examined;
};

/* Empties it: nothing found, nothing examined. */
void answer_init(struct answer *answer);

/* Takes a finding; returns its index, or -1 when 16 that are no better are there already. */
int answer_find(struct answer *answer, const struct pes_found *found);

/* Takes a range. Beyond 32, one of a worse finding takes the place of one of the least. */
void answer_evidence(struct answer *answer, int finding, uint64_t offset, uint64_t length,
                     const char *what);
void answer_decoded(struct answer *answer, const void *bytes, size_t n_bytes);
void answer_verdict(struct answer *answer, uint32_t verdict);
void answer_coverage(struct answer *answer, uint32_t coverage, uint64_t bytes_examined);

/* Of a question and its scan. */
struct answer_frame {
    uint64_t id;
    uint64_t content_bytes;
    uint64_t cpu_us;
    bool has_failed;       /* scan() returned -1: nothing counts */
    bool is_only_wrapping; /* the content is packed, and the module unpacks nothing */
};

/* Encodes it as a Result that fits; what does not fit is left out, the worst finding last. Returns
 * 0 or WIRE_E_*. */
MUST_CHECK int answer_encode(const struct answer *answer, const struct answer_frame *frame,
                             uint8_t buffer[WIRE_RESULT_BYTES_MAX], size_t *ret_n_bytes);
