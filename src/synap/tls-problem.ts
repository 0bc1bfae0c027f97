const CERTIFICATE = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY))/;
const NO_TLS = /^(ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST)|EPROTO)$/;

/** Why no connection over TLS came about. */
export interface TlsProblem {
  readonly kind: 'certificate' | 'no-tls' | 'protocol';
  /** What was found, as the end of a sentence. */
  readonly finding: string;
  /** What to do. */
  readonly advice: string;
}

/** What an error's code says about TLS: undefined where it is about something else. */
export function tlsProblem(code: string): TlsProblem | undefined {
  if (CERTIFICATE.test(code))
    return {
      kind: 'certificate',
      finding: 'its certificate was refused',
      advice: "behind a company's proxy, set NODE_EXTRA_CA_CERTS to the file of its CA certificate",
    };
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
  if (!code.startsWith('ERR_SSL_')) return undefined;
  return {
    kind: 'protocol',
    finding: 'no TLS version or cipher suits both ends',
    advice: 'update Node, or whatever stands in front of Synap',
  };
}
