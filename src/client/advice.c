/*
 * What to do next, in words: one sentence each, verb first, the safest step first.
 */
#include "client/advice.h"

#include <pes/enums.h>

const char *advice_text(uint32_t advice)
{
    switch ((enum pes_advice)advice) {
    case PES_ADVICE_NONE:
        return "";
    case PES_ADVICE_DO_NOT_RUN:
        return "Do not run it; delete it.";
    case PES_ADVICE_ASK_SENDER:
        return "Ask whoever sent it, by another way than the one that it came.";
    case PES_ADVICE_READ_DECODED:
        return "Read what it really does before you run it.";
    case PES_ADVICE_DOWNLOAD_FIRST:
        return "Download it and read it before you run it.";
    case PES_ADVICE_TEST_ONLY:
        return "There is nothing to do: it is harmless.";
    case PES_ADVICE_TRY_AGAIN:
        return "Try again.";
    case PES_ADVICE_SEE_PROVIDERS:
        return "`pes providers` shows what is wrong.";
    case PES_ADVICE_START_SERVICE:
        return "Start the service pesd, and try again.";
    case PES_ADVICE_FIX_LOGIN:
        return "Never paste or type a command to fix a web page or a login.";
    case PES_ADVICE_ASK_ADMIN:
        return "Ask the administrator of this machine.";
    }
    return "";
}
