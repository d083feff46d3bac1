/*
 * What an application reads of an answer, and how it ends one.
 *
 * Structures are filled as far as the caller's version of them reaches (fill.h). The accessors
 * accept NULL, which is nobody's answer: it says stop.
 */
#include <pes/answer.h>
#include <pes/enums.h>
#include <pes/names.h>

#include "client/answer.h"
#include "client/ctx.h"
#include "client/error.h"
#include "client/exchange.h"
#include "client/fill.h"

enum pes_action pes_answer_action(const struct pes_answer *answer)
{
    return answer ? (enum pes_action)answer->info.action : PES_STOP;
}

const char *pes_answer_message(const struct pes_answer *answer)
{
    return answer ? answer->message : "It could not be checked: there is no answer.";
}

void pes_answer_info(const struct pes_answer *answer, struct pes_answer_info *ret_info)
{
    if (answer && ret_info) {
        fill(ret_info, &answer->info, sizeof(answer->info));
    }
}

int pes_answer_part(const struct pes_answer *answer, uint32_t index, struct pes_part *ret_part)
{
    if (!answer || !ret_part || index >= answer->info.n_parts) {
        return -PES_E_INVALID_ARGUMENT;
    }
    fill(ret_part, &answer->parts[index].shown, sizeof(answer->parts[index].shown));
    return 0;
}

int pes_answer_finding(const struct pes_answer *answer, uint32_t part, uint32_t index,
                       struct pes_finding *ret_finding)
{
    if (!answer || !ret_finding || part >= answer->info.n_parts ||
        index >= answer->parts[part].shown.n_findings) {
        return -PES_E_INVALID_ARGUMENT;
    }
    fill(ret_finding, &answer->parts[part].findings[index], sizeof(struct pes_finding));
    return 0;
}

int pes_answer_evidence(const struct pes_answer *answer, uint32_t part, uint32_t index,
                        struct pes_evidence *ret_evidence)
{
    if (!answer || !ret_evidence || part >= answer->info.n_parts ||
        index >= answer->parts[part].shown.n_evidence) {
        return -PES_E_INVALID_ARGUMENT;
    }
    fill(ret_evidence, &answer->parts[part].evidence[index], sizeof(struct pes_evidence));
    return 0;
}

int pes_answer_take_content(struct pes_answer *answer)
{
    int fd;

    if (!answer || answer->is_static) {
        return -PES_E_INVALID_ARGUMENT;
    }
    fd = content_take_memfd(&answer->content);
    return fd < 0 ? pes_error_from_errno(fd) : fd;
}

/* Nobody has to hear at once of what went on because nothing was found. */
static bool is_routine(const struct pes_answer *answer, enum pes_did did)
{
    return answer->info.error == 0 && answer->info.action == PES_GO &&
           did != PES_DID_USER_OVERRODE && !pes_verdict_is_finding(answer->info.verdict);
}

void pes_answer_close(struct pes_answer *answer, enum pes_did did)
{
    struct connection *connection;

    if (!answer || answer->is_static) {
        return;
    }
    if (answer->ctx) {
        ctx_enter(answer->ctx);
        connection = ctx_connection(answer->ctx, answer->serial);
        if (connection) {
            connection_note_done(connection, answer->id, (uint32_t)did, is_routine(answer, did));
            exchange_flush(answer->ctx, false);
        }
        list_remove(&answer->node);
    }
    answer_free(answer);
}
