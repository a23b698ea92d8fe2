/* SPDX-License-Identifier: ISC */
#include "login_target.h"
#include "proto/pop3_client.h"
#include "proto/pop3_server.h"

int main(int argc, char **argv)
{
	return login_target_main(PROTOCOL_POP3, &pop3_server_ops, &pop3_client_ops, argc, argv);
}
