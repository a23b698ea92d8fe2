/* SPDX-License-Identifier: ISC */
/*
 * JSON carries passwords, codes and tokens, so whoever handles it wipes its memory. And jansson's
 * hash tables want chance from a file, which a jail has not. Every process that links jansson calls
 * this once, before its jail and before the first JSON.
 */
#ifndef GP_OPS_JSON_SETUP_H
#define GP_OPS_JSON_SETUP_H

void json_setup(void);

#endif
