/* service_explain.c: what a failed call means to a person: AWS's words, and a hint where
 * there is something to do about it. */
#include <stdlib.h>
#include <string.h>

#include "aws/service.h"

enum advice {
	WRONG_KEYS,
	OLD_KEYS,
	NOT_ALLOWED,
	REGION_OFF,
	QUOTA,
	PENDING_QUOTA,
	CLOCK,
	KMS
};

static const char *const advices[] = {
	[WRONG_KEYS] = "AWS does not take the keys of: %s",
	[OLD_KEYS] = "the keys of %s are no longer valid: log in again",
	[NOT_ALLOWED] =
		"keys of: %s; elfpack-publish(1) lists the permissions that are needed",
	[REGION_OFF] = "the account has not enabled the region; keys of: %s",
	[QUOTA] = "delete what is not needed or ask for more at Service Quotas; keys of: "
		  "%s",
	[PENDING_QUOTA] =
		"too many snapshots are half made: wait for them or delete them; keys "
		"of: %s",
	[CLOCK] = "set the clock of this machine (keys of: %s)",
	[KMS] = "is the KMS key in this region, enabled, and open to the keys of: %s?"};

static const struct {
	const char *code;
	enum advice advice;
} known[] = {{"AuthFailure", WRONG_KEYS},
	     {"InvalidClientTokenId", WRONG_KEYS},
	     {"UnrecognizedClientException", WRONG_KEYS},
	     {"InvalidSignatureException", WRONG_KEYS},
	     {"SignatureDoesNotMatch", WRONG_KEYS},
	     {"IncompleteSignature", WRONG_KEYS},
	     {"ExpiredToken", OLD_KEYS},
	     {"ExpiredTokenException", OLD_KEYS},
	     {"UnauthorizedOperation", NOT_ALLOWED},
	     {"AccessDenied", NOT_ALLOWED},
	     {"AccessDeniedException", NOT_ALLOWED},
	     {"OptInRequired", REGION_OFF},
	     {"ServiceQuotaExceededException", QUOTA},
	     {"SnapshotLimitExceeded", QUOTA},
	     {"ResourceLimitExceeded", QUOTA},
	     {"ImageQuotaExceeded", QUOTA},
	     {"AMIQuotaExceeded", QUOTA},
	     {"ConcurrentLimitExceededException", PENDING_QUOTA},
	     {"RequestExpired", CLOCK},
	     {"RequestTimeTooSkewed", CLOCK},
	     {"Client.InvalidKMSKey.InvalidState", KMS},
	     {"KMSKeyNotAccessibleFault", KMS}};

/* EBS says with the code of a wrong signature that its time is wrong, and EC2 with the
 * same code that a request is old and that keys are. */
static bool clock_is_meant(const struct call *call)
{
	return strstr(call->message, "Signature expired") ||
	       strstr(call->message, "Signature not yet current") ||
	       strstr(call->message, "Timestamp date is");
}

static int explain_lost(const struct call *call, struct diag *why)
{
	const struct exchange *exchange = &call->exchange;
	static const char *const proxies[] = {"HTTPS_PROXY", "https_proxy", "ALL_PROXY",
					      "all_proxy", "http_proxy"};
	const char *proxy = NULL;
	for (size_t i = 0; !proxy && i < sizeof(proxies) / sizeof(proxies[0]); i++)
		proxy = getenv(proxies[i]) && *getenv(proxies[i]) ? proxies[i] : NULL;
	switch (exchange->code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		diag_hint(why, "is %s a region, and is there a network?", call->region);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_ISSUER_ERROR:
		diag_hint(
			why,
			"where a proxy opens TLS, AWS_CA_BUNDLE names the file with its "
			"certificate");
		break;
	default:
		if (proxy)
			diag_hint(why, "the proxy is what %s says", proxy);
	}
	return diag_set(why, "%s: no answer from %.*s: %s", call->operation,
			(int)strcspn(exchange->url ? exchange->url : "", "?"),
			exchange->url ? exchange->url : "", exchange->problem);
}

int aws_explain(struct aws *aws, const struct call *call, struct diag *why)
{
	const char *source = aws->keys.source;
	aws->last = call->failure;
	if (why->message[0])
		return -1;
	if (call->exchange.code != CURLE_OK)
		return explain_lost(call, why);
	if (call->exchange.status >= 200 && call->exchange.status < 300)
		return diag_set(why, "%s: the answer of %s is not AWS's", call->operation,
				call->url);
	aws->shut_out = clock_is_meant(call);
	if (aws->shut_out)
		diag_hint(why, advices[CLOCK], source);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		enum advice advice = known[i].advice;
		if (!aws_code_is(call, known[i].code))
			continue;
		diag_hint(why, advices[advice], source);
		aws->shut_out |=
			advice == WRONG_KEYS || advice == OLD_KEYS || advice == CLOCK;
	}
	return call->code[0]
		       ? diag_set(why, "%s in %s: %s: %s", call->operation, call->region,
				  call->code, call->message)
		       : diag_set(why, "%s in %s: %ld without AWS's code",
				  call->operation, call->region, call->exchange.status);
}
