/*
 * Makes one Result of what a module says during a scan.
 *
 * A module may say anything in any order, too much, and nonsense. What comes out is always a valid
 * Result of at most 8 KiB: names reduced to their alphabet, findings worst first (verdict, then
 * severity, then order of arrival), evidence pointing at findings and bytes that are there, that of
 * the worst finding first, no coverage that was not stated, full coverage only of every byte, and
 * known_good only with full coverage; nothing found by who unpacks nothing is not full coverage of
 * what is packed (`is_only_wrapping`). A verdict or coverage that this version does not know is
 * taken the careful way: a finding without a known verdict is suspicious, an unknown coverage means
 * not examined.
 *
 * Leaves out judging whether the module tells the truth.
 */
#include "host/answer.h"

#include <string.h>

#include "wire/name_table.h"
#include "wire/names.h"
#include "wire/verdict_rank.h"

void answer_init(struct answer *answer)
{
    answer->n_findings = 0;
    answer->n_findings_total = 0;
    answer->n_evidence = 0;
    answer->n_decoded = 0;
    answer->verdict = PES_VERDICT_NOT_DETECTED;
    answer->coverage = PES_COVERAGE_NOT_EXAMINED;
    answer->bytes_examined = 0;
}

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._:/!-", c) != NULL);
}

/* Copies a name, reduced to its alphabet; `n` is the size of `out`. */
static void copy_name(char *out, size_t n, const char *name)
{
    size_t i = 0;

    for (; name && name[i] != '\0' && i < n - 1; i++) {
        out[i] = is_name_char(name[i]) ? name[i] : '_';
    }
    out[i] = '\0';
}

/* Worse findings are greater. */
static int compare_badness(const struct answer_finding *a, const struct answer_finding *b)
{
    unsigned rank_a = verdict_rank(a->verdict), rank_b = verdict_rank(b->verdict);

    if (rank_a != rank_b) {
        return rank_a < rank_b ? -1 : 1;
    }
    return a->severity == b->severity ? 0 : a->severity < b->severity ? -1 : 1;
}

static int compare_findings(const struct answer_finding *a, const struct answer_finding *b)
{
    int r = compare_badness(a, b);

    return r != 0 ? r : a->order > b->order ? -1 : 1; /* the earlier one is kept */
}

static void drop_evidence_of(struct answer *answer, uint32_t finding)
{
    size_t n = 0;

    for (size_t i = 0; i < answer->n_evidence; i++) {
        if (answer->evidence[i].finding != finding) {
            answer->evidence[n++] = answer->evidence[i];
        }
    }
    answer->n_evidence = n;
}

static size_t least_finding(const struct answer *answer)
{
    size_t least = 0;

    for (size_t i = 1; i < answer->n_findings; i++) {
        if (compare_findings(&answer->findings[i], &answer->findings[least]) < 0) {
            least = i;
        }
    }
    return least;
}

int answer_find(struct answer *answer, const struct pes_found *found)
{
    struct pes_found given = {0};
    struct answer_finding finding;
    size_t at = answer->n_findings;

    memcpy(&given, found, found->size_bytes < sizeof(given) ? found->size_bytes : sizeof(given));
    finding = (struct answer_finding){
        .verdict = given.verdict != PES_VERDICT_NONE && name_of(&wire_verdict_names, given.verdict)
                       ? given.verdict
                       : (uint32_t)PES_VERDICT_SUSPICIOUS,
        .severity = given.severity <= PES_SEVERITY_CRITICAL ? given.severity : PES_SEVERITY_NONE,
        .confidence = given.confidence <= 100 ? given.confidence : 100,
        .advice = given.advice,
        .order = answer->n_findings_total,
    };
    copy_name(finding.detection, sizeof(finding.detection),
              given.detection && given.detection[0] != '\0' ? given.detection : "unnamed");
    copy_name(finding.family, sizeof(finding.family), given.family);
    copy_name(finding.rule_id, sizeof(finding.rule_id), given.rule_id);
    copy_name(finding.technique, sizeof(finding.technique), given.technique);

    answer->n_findings_total++;
    if (at == ANSWER_FINDINGS_MAX) {
        at = least_finding(answer);
        if (compare_findings(&finding, &answer->findings[at]) < 0) {
            return -1;
        }
        drop_evidence_of(answer, (uint32_t)at);
    } else {
        answer->n_findings++;
    }
    answer->findings[at] = finding;
    return (int)at;
}

/* Takes out the last range of the least finding that has one, if this finding is worse than
 * that. */
static bool make_room(struct answer *answer, uint32_t finding)
{
    const struct answer_finding *findings = answer->findings;
    uint32_t least = answer->evidence[0].finding;
    size_t at = 0;

    for (size_t i = 1; i < answer->n_evidence; i++) {
        uint32_t other = answer->evidence[i].finding;

        if (other == least || compare_findings(&findings[other], &findings[least]) < 0) {
            least = other;
            at = i;
        }
    }
    if (compare_badness(&findings[finding], &findings[least]) <= 0) {
        return false;
    }
    answer->n_evidence--;
    memmove(&answer->evidence[at], &answer->evidence[at + 1],
            (answer->n_evidence - at) * sizeof(answer->evidence[0]));
    return true;
}

void answer_evidence(struct answer *answer, int finding, uint64_t offset, uint64_t length,
                     const char *what)
{
    struct answer_evidence *evidence;

    if (finding < 0 || (size_t)finding >= answer->n_findings ||
        (answer->n_evidence == ANSWER_EVIDENCE_MAX && !make_room(answer, (uint32_t)finding))) {
        return;
    }
    evidence = &answer->evidence[answer->n_evidence++];
    evidence->finding = (uint32_t)finding;
    evidence->offset = offset;
    evidence->length = length;
    copy_name(evidence->what, sizeof(evidence->what), what);
}

void answer_decoded(struct answer *answer, const void *bytes, size_t n_bytes)
{
    answer->n_decoded = n_bytes < ANSWER_DECODED_MAX ? n_bytes : ANSWER_DECODED_MAX;
    if (answer->n_decoded > 0) {
        memcpy(answer->decoded, bytes, answer->n_decoded);
    }
}

void answer_verdict(struct answer *answer, uint32_t verdict)
{
    if (verdict == PES_VERDICT_NOT_DETECTED || verdict == PES_VERDICT_KNOWN_GOOD ||
        verdict == PES_VERDICT_NO_OPINION) {
        answer->verdict = verdict;
    }
}

void answer_coverage(struct answer *answer, uint32_t coverage, uint64_t bytes_examined)
{
    bool is_known = coverage > PES_COVERAGE_NONE && coverage < PES_COVERAGE_PARTIAL_PROVIDERS;

    answer->coverage = is_known ? coverage : PES_COVERAGE_NOT_EXAMINED;
    answer->bytes_examined = bytes_examined;
}

/* Indexes of the findings, worst first. */
static void sort_findings(const struct answer *answer, uint32_t order[ANSWER_FINDINGS_MAX])
{
    for (uint32_t i = 0; i < answer->n_findings; i++) {
        uint32_t at = i;

        while (at > 0 &&
               compare_findings(&answer->findings[order[at - 1]], &answer->findings[i]) < 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

static void fill_finding(struct wire_finding *out, const struct answer_finding *in)
{
    *out = (struct wire_finding){
        .verdict = in->verdict,
        .severity = in->severity,
        .confidence = in->confidence,
        .advice = in->advice,
        .detection = wire_text(in->detection),
        .family = wire_text(in->family),
        .rule_id = wire_text(in->rule_id),
        .technique = wire_text(in->technique),
    };
}

/* A range that begins behind the content is left out, one that reaches further is cut. */
static void add_range(struct wire_result *result, const struct answer_evidence *evidence,
                      uint32_t place, uint64_t content_bytes)
{
    uint64_t left = content_bytes - evidence->offset;

    if (evidence->offset > content_bytes) {
        return;
    }
    result->evidence[result->n_evidence++] = (struct wire_evidence){
        .finding = place,
        .offset = evidence->offset,
        .length = evidence->length < left ? evidence->length : left,
        .what = wire_text(evidence->what),
    };
}

static void fill_findings(struct wire_result *result, const struct answer *answer,
                          uint64_t content_bytes)
{
    uint32_t order[ANSWER_FINDINGS_MAX];

    sort_findings(answer, order);
    for (uint32_t i = 0; i < answer->n_findings; i++) {
        fill_finding(&result->findings[i], &answer->findings[order[i]]);
        for (size_t j = 0; j < answer->n_evidence; j++) {
            if (answer->evidence[j].finding == order[i]) {
                add_range(result, &answer->evidence[j], i, content_bytes);
            }
        }
    }
    result->n_findings = answer->n_findings;
    result->n_findings_total = answer->n_findings_total;
}

/* Nobody has examined more than there is, and whoever examined less has not examined it in full. */
static void fill_coverage(struct wire_result *result, const struct answer *answer,
                          uint64_t content_bytes)
{
    result->coverage = answer->coverage;
    result->bytes_examined = answer->bytes_examined;
    if (result->bytes_examined > content_bytes) {
        result->bytes_examined = content_bytes;
    }
    if (result->coverage == PES_COVERAGE_FULL && result->bytes_examined < content_bytes) {
        result->coverage = PES_COVERAGE_PARTIAL_SIZE;
    }
}

/* Of a finding it does not matter what else there is. */
static uint32_t final_verdict(struct wire_result *result, const struct answer *answer,
                              bool is_only_wrapping)
{
    uint32_t verdict = result->n_findings > 0 ? result->findings[0].verdict : answer->verdict;

    if (is_only_wrapping && result->coverage == PES_COVERAGE_FULL && !verdict_is_finding(verdict)) {
        result->coverage = PES_COVERAGE_UNSUPPORTED;
    }
    if (verdict == PES_VERDICT_KNOWN_GOOD && result->coverage != PES_COVERAGE_FULL) {
        return PES_VERDICT_NOT_DETECTED;
    }
    return verdict;
}

/* Leaves out the least valuable thing that is there; false when nothing is left to leave out. */
static bool shrink(struct wire_result *result)
{
    if (result->n_evidence > 0) {
        result->n_evidence--;
        return true;
    }
    if (result->decoded.size > 0) {
        result->decoded = (struct wire_bytes){0};
        return true;
    }
    if (result->n_findings > 0) {
        result->n_findings--;
        return true;
    }
    return false;
}

int answer_encode(const struct answer *answer, const struct answer_frame *frame,
                  uint8_t buffer[WIRE_RESULT_BYTES_MAX], size_t *ret_n_bytes)
{
    struct wire_result result = {.id = frame->id, .cpu_us = frame->cpu_us};
    int r;

    if (frame->has_failed) {
        result.verdict = PES_VERDICT_NONE;
        result.coverage = PES_COVERAGE_NOT_EXAMINED;
    } else {
        fill_findings(&result, answer, frame->content_bytes);
        fill_coverage(&result, answer, frame->content_bytes);
        result.verdict = final_verdict(&result, answer, frame->is_only_wrapping);
        result.decoded = (struct wire_bytes){.data = answer->decoded, .size = answer->n_decoded};
    }
    do {
        r = wire_encode(WIRE_TYPE_RESULT, &result, buffer, WIRE_RESULT_BYTES_MAX, ret_n_bytes);
    } while (r == WIRE_E_NO_SPACE && shrink(&result));
    return r;
}
