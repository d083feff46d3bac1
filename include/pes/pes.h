/*
 * Everything an application needs: include this one and link libpes.
 */
#pragma once

#include <pes/answer.h>
#include <pes/client.h>
#include <pes/enums.h>
#include <pes/names.h>
#include <pes/service.h>
#include <pes/version.h>
