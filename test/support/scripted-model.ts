export * from 'synap-recorder-local/model';
