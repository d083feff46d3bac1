/*
 * Turns "no answer" into a disposition, by the client policy alone.
 *
 * Not installed: no policy file, no socket, never connected. A policy file means installed, unless
 * it says `not-installed`, as one does that is given to a whole fleet: then a machine that has not
 * even the folder of the socket counts as not installed. The folder stays while the service is
 * down, so that nobody gains by ending it. Everything else is "installed but down", whatever went
 * wrong: nobody looked, and why must not matter, or an attacker would choose the cheapest way to
 * make it so.
 *
 * As in the broker, an application's wish makes the policy stricter, never milder. On a machine
 * without pes it is not heard: an application must not stop working because pes is not there.
 */
#include "client/fallback.h"

#include <pes/enums.h>

static uint32_t message_for(uint32_t error)
{
    switch ((enum pes_error)error) {
    case PES_E_NO_BROKER:
    case PES_E_BROKER_LOST:
        return PES_MESSAGE_ID_BROKER_DOWN;
    case PES_E_DEADLINE_PASSED:
        return PES_MESSAGE_ID_COULD_NOT_CHECK;
    case PES_E_TOO_LARGE:
        return PES_MESSAGE_ID_TOO_LARGE;
    case PES_E_NO_PROVIDER:
        return PES_MESSAGE_ID_NO_PROVIDER;
    case PES_E_NONE:
    case PES_E_INVALID_ARGUMENT:
    case PES_E_NOT_CONNECTED:
    case PES_E_VERSION:
    case PES_E_PERMISSION:
    case PES_E_QUOTA:
    case PES_E_CANCELLED:
    case PES_E_SESSION_CLOSED:
    case PES_E_NOT_IMPLEMENTED:
    case PES_E_INTERNAL:
    case PES_E_NO_MEMORY:
    case PES_E_CHANGED:
    case PES_E_IO:
    case PES_E_PROTOCOL:
        return PES_MESSAGE_ID_CALL_FAILED;
    }
    return PES_MESSAGE_ID_CALL_FAILED;
}

static uint32_t advice_for(uint32_t error)
{
    switch ((enum pes_error)error) {
    case PES_E_NO_BROKER:
    case PES_E_BROKER_LOST:
        return PES_ADVICE_START_SERVICE;
    case PES_E_DEADLINE_PASSED:
        return PES_ADVICE_SEE_PROVIDERS;
    case PES_E_QUOTA:
    case PES_E_CHANGED:
    case PES_E_NO_MEMORY:
        return PES_ADVICE_TRY_AGAIN;
    case PES_E_VERSION:
    case PES_E_PERMISSION:
    case PES_E_PROTOCOL:
        return PES_ADVICE_ASK_ADMIN;
    case PES_E_NONE:
    case PES_E_INVALID_ARGUMENT:
    case PES_E_NOT_CONNECTED:
    case PES_E_TOO_LARGE:
    case PES_E_CANCELLED:
    case PES_E_SESSION_CLOSED:
    case PES_E_NO_PROVIDER:
    case PES_E_NOT_IMPLEMENTED:
    case PES_E_INTERNAL:
    case PES_E_IO:
        return PES_ADVICE_NONE;
    }
    return PES_ADVICE_NONE;
}

static uint32_t disposition_for(uint32_t wish, uint32_t allow)
{
    switch ((enum pes_fail_wish)wish) {
    case PES_FAIL_WISH_NONE:
    case PES_FAIL_WISH_ALLOW:
        return allow;
    case PES_FAIL_WISH_WARN:
        return PES_DISPOSITION_WARN;
    case PES_FAIL_WISH_DENY:
        return PES_DISPOSITION_BLOCK;
    }
    return PES_DISPOSITION_BLOCK; /* a wish from the future */
}

static bool is_not_installed(const struct client_policy *policy, enum place_absence absence)
{
    if (policy->is_installed && policy->not_installed == PES_FAIL_WISH_NONE) {
        return false;
    }
    return policy->is_installed ? absence == PLACE_NO_FOLDER : absence != PLACE_IS_THERE;
}

struct fallback fallback_decide(const struct client_policy *policy, uint32_t kind, uint32_t wish,
                                uint32_t error, enum place_absence absence)
{
    uint32_t down;

    if (error == PES_E_NO_BROKER && is_not_installed(policy, absence)) {
        return (struct fallback){
            .disposition =
                disposition_for(client_policy_not_installed(policy), PES_DISPOSITION_ALLOW),
            .message_id = PES_MESSAGE_ID_NOT_INSTALLED,
            .advice = PES_ADVICE_NONE,
        };
    }
    down = client_policy_down(policy, kind);
    return (struct fallback){
        .disposition = disposition_for(wish > down ? wish : down, PES_DISPOSITION_ALLOW_AND_REPORT),
        .message_id = message_for(error),
        .advice = advice_for(error),
    };
}
