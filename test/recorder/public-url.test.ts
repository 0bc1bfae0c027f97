import { describe, expect, it } from 'vitest';
import { publicUrl } from '../../src/recorder/public-url.js';

const SECRET = 'Q7dR2mZ9xK4pL8vN1sT6';

describe('a URL', () => {
  it.each([
    [
      'of S3',
      `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${SECRET}%2F2026&X-Amz-Security-Token=${SECRET}&X-Amz-Signature=${SECRET}`,
    ],
    ['of S3, version 2', `AWSAccessKeyId=${SECRET}&Signature=${SECRET}%3D`],
    ['of CloudFront', `Policy=${SECRET}__&Signature=${SECRET}&Key-Pair-Id=${SECRET}`],
    ['of Google', `X-Goog-Credential=${SECRET}%40x.iam&X-Goog-Signature=${SECRET}`],
    ['of Google, version 2', `GoogleAccessId=${SECRET}@x.iam&Signature=${SECRET}`],
    ['of Azure', `sig=${SECRET}%3D&skoid=${SECRET}`],
    ['of Alibaba', `OSSAccessKeyId=${SECRET}&Signature=${SECRET}&security-token=${SECRET}`],
    ['of Tencent', `q-ak=${SECRET}&q-signature=${SECRET}&x-cos-security-token=${SECRET}`],
    ['of Akamai', `hdnts=st=1~exp=2~acl=/*~hmac=${SECRET}`],
    ['of Firebase', `alt=media&token=${SECRET}`],
    ['of Discord', `hm=${SECRET}`],
    ['of imgix', `s=${SECRET}`],
    ['of Dropbox', `rlkey=${SECRET}`],
    ['of SharePoint', `tempauth=${SECRET}`],
    ['in upper case', `TOKEN=${SECRET}`],
    ['with an escaped name', `X%2DAmz%2DSignature=${SECRET}`],
    ['with an ampersand of HTML', `a=1&amp;token=${SECRET}`],
    ['of a request to an API', `api_key=${SECRET}&apiKey=${SECRET}&key=${SECRET}`],
    ['of a sign-in', `code=${SECRET}&id_token=${SECRET}`],
    ['in another URL', `url=${encodeURIComponent(`https://ada:${SECRET}@b/c?X-Amz-Signature=${SECRET}`)}&w=64`],
  ])('%s has no signature, in its query or its fragment', (_, query) => {
    for (const url of [
      `https://files.example/a%20b.png?v=2&${query}`,
      `https://files.example/a%20b.png?v=2#${query}`,
    ]) {
      const open = publicUrl(url);
      expect(open).not.toContain(SECRET);
      expect(open).toMatch(/^https:\/\/files\.example\/a%20b\.png\?v=2/);
    }
  });

  it.each([
    ['https://ada:pw@host/a', 'https://host/a'],
    ['https://ada@host', 'https://host'],
    ['https://ada:p%40w@host:8443/a?b=c@d', 'https://host:8443/a?b=c@d'],
    ['https://ada:p/w@host/a', 'https://host/a'],
    ['HTTPS://ada:p@w@host/a@b', 'HTTPS://host/a@b'],
    ['https:\\\\ada:pw@host\\a', 'https:\\\\host\\a'],
    ['//ada:pw@host/a.png', '//host/a.png'],
    ['https:/ada:pw@host/a', 'https:/host/a'],
    ['https:ada:pw@host/a', 'https:host/a'],
  ])('%s loses its user', (url, open) => {
    expect(publicUrl(url)).toBe(open);
  });

  it.each([
    ['https://host/a.png;jsessionid=0123456789ABCDEF0123?x=1', 'https://host/a.png?x=1'],
    ['https://host/a.png?pw=hunter2&v=2', 'https://host/a.png?v=2'],
    ['https://ik.example/a.jpg?ik-t=1&ik-s=0123456789abcdef', 'https://ik.example/a.jpg?ik-t=1'],
  ])('%s loses its session, password or signature', (url, open) => {
    expect(publicUrl(url)).toBe(open);
  });

  it.each([
    '//host/a@b',
    'https://host/a;v=1;q=2/b',
    'https://host/npm/foo@1.2/x.js',
    'https://[::1]:8080/a@b',
    'https://host/?q=a;b=c'.replace(';', '&'),
    'https://host/search?q=signature+of+a+token&page=2#results',
    'https://host/talk?session=42&author=ada',
    'https://host/a#L10',
    'https://host/?flag',
  ])('without a secret stays as it is: %s', url => {
    expect(publicUrl(url)).toBe(url);
  });
});
