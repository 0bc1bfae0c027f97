const CERTIFICATE = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY))/;
const NO_TLS = /^(ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST)|EPROTO)$/;
// A TLS 1.3 server says so only after the handshake; whatever was written by then, it has read none of it.
const NO_CLIENT_CERTIFICATE = /^ERR_SSL_\w*(CERTIFICATE_REQUIRED|PEER_DID_NOT_RETURN_A_CERTIFICATE)$/;
// Of connections that were in use.
const LATER =
  /^ERR_SSL_\w*(BAD_RECORD_MAC|DECRYPTION_FAILED|BAD_DECRYPT|UNEXPECTED_EOF|APPLICATION_DATA_AFTER_CLOSE_NOTIFY)/;

/** Why no connection over TLS came about. */
export interface TlsProblem {
  readonly kind: 'certificate' | 'no-tls' | 'protocol';
  /** What was found, as the end of a sentence. */
  readonly finding: string;
  /** What to do. */
  readonly advice: string;
}

/** Whether a code is one of the handshake: then nothing was sent. */
export function isOfHandshake(code: string): boolean {
  return tlsProblem(code) !== undefined && !LATER.test(code);
}

/** What an error's code says about TLS: undefined where it is about something else. */
export function tlsProblem(code: string): TlsProblem | undefined {
  if (CERTIFICATE.test(code)) return { kind: 'certificate', ...certificateProblem(code) };
  if (NO_TLS.test(code))
    return {
      kind: 'no-tls',
      finding: 'the port does not speak TLS',
      advice: 'check the port, or use http:// for a Synap on this machine',
    };
  if (code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
    return {
      kind: 'protocol',
      finding: 'the server does not offer HTTP/1.1',
      advice: 'let the proxy or load balancer in front of Synap accept HTTP/1.1, not HTTP/2 alone',
    };
  if (NO_CLIENT_CERTIFICATE.test(code))
    return {
      kind: 'protocol',
      finding: 'the server wants a certificate of this client',
      advice: 'pass a dispatcher of undici that has one: new Agent({ connect: { cert, key } })',
    };
  if (!code.startsWith('ERR_SSL_') || LATER.test(code)) return undefined;
  return {
    kind: 'protocol',
    finding: 'no TLS version or cipher suits both ends',
    advice: 'update Node, or whatever stands in front of Synap',
  };
}

const CA_FILE = 'set NODE_EXTRA_CA_CERTS to the file of the CA certificate';

function certificateProblem(code: string): Pick<TlsProblem, 'finding' | 'advice'> {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return {
        finding: 'its certificate has expired',
        advice: "ask whoever runs this Synap to renew it, and check this machine's clock",
      };
    case 'CERT_NOT_YET_VALID':
      return { finding: 'its certificate is not valid yet', advice: "check this machine's clock" };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        finding: 'its certificate is for another name',
        advice: 'check the address of Synap (baseUrl, or SYNAP_BASE_URL), and what answers there',
      };
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return {
        finding: 'its certificate is signed by nobody but itself',
        advice: 'trust it: set NODE_EXTRA_CA_CERTS to the file of that certificate',
      };
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return {
        finding: 'its certificate is signed by an authority that this machine does not know',
        advice: `${CA_FILE}, for example that of a company's proxy`,
      };
    case 'CERT_REVOKED':
      return { finding: 'its certificate is revoked', advice: 'ask whoever runs this Synap to renew it' };
    default:
      return { finding: 'its certificate was refused', advice: `behind a company's proxy, ${CA_FILE}` };
  }
}
