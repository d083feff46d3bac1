/*
 * Names of numbers. All return static text; a number without a name gives "unknown".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <pes/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pes_kind_name() - dotted name of a kind
 * @kind: enum pes_kind
 *
 * Return: static text, such as "command.pasted".
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_kind_name(uint32_t kind);

/**
 * pes_kind_doc() - what a kind is for
 * @kind: enum pes_kind
 *
 * Return: static text of a few words.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_kind_doc(uint32_t kind);

/**
 * pes_kind_number() - the kind with a name
 * @name: dotted name
 *
 * Return: enum pes_kind, or PES_KIND_NONE when there is none of that name.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC uint32_t pes_kind_number(const char *name);

/**
 * pes_kind_at() - walk all kinds
 * @index: 0, 1, ...
 *
 * Return: enum pes_kind, or PES_KIND_NONE past the last.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC uint32_t pes_kind_at(size_t index);

/**
 * pes_verdict_name() - name of an enum pes_verdict
 * @verdict: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_verdict_name(uint32_t verdict);

/**
 * pes_verdict_is_finding() - whether somebody objects
 * @verdict: value
 *
 * Return: 1 for suspicious, malicious and all that says why content should not be used; 0 for
 *   verdicts that do not. A value that this library does not know counts as an objection.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC int pes_verdict_is_finding(uint32_t verdict);

/**
 * pes_coverage_name() - name of an enum pes_coverage
 * @coverage: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_coverage_name(uint32_t coverage);

/**
 * pes_disposition_name() - name of an enum pes_disposition
 * @disposition: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_disposition_name(uint32_t disposition);

/**
 * pes_decided_by_name() - name of an enum pes_decided_by
 * @decided_by: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_decided_by_name(uint32_t decided_by);

/**
 * pes_action_name() - name of an enum pes_action
 * @action: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_action_name(uint32_t action);

/**
 * pes_status_name() - name of an enum pes_status
 * @status: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_status_name(uint32_t status);

/**
 * pes_severity_name() - name of an enum pes_severity
 * @severity: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_severity_name(uint32_t severity);

/**
 * pes_limit_name() - name of an enum pes_limit
 * @limit: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_limit_name(uint32_t limit);

/**
 * pes_mode_name() - name of an enum pes_mode
 * @mode: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_mode_name(uint32_t mode);

/**
 * pes_provider_state_name() - name of an enum pes_provider_state
 * @state: value
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_provider_state_name(uint32_t state);

/**
 * pes_reason_number() - the trigger reason with a name
 * @name: name, such as "paste"
 *
 * Return: enum pes_reason, or PES_REASON_NONE when there is none of that name.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC uint32_t pes_reason_number(const char *name);

/**
 * pes_reason_at() - walk the names of all trigger reasons
 * @index: 0, 1, ...
 *
 * Return: static text, or NULL past the last.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_reason_at(size_t index);

/**
 * pes_error_text() - an error in words
 * @error: negative PES_E_* or 0
 *
 * Return: static text.
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_error_text(int error);

/**
 * pes_signal_name() - name of a signal
 * @signal: number
 *
 * Return: static text, such as "SIGSEGV".
 * Threads: any.
 * Since: 0.1
 */
PES_PUBLIC const char *pes_signal_name(uint32_t signal);

#ifdef __cplusplus
}
#endif
