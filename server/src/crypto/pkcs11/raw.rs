//! The one module with `unsafe`: calls that cryptoki does not make, or makes with a round trip too many.
//!
//! cryptoki loads the module, finds slots, opens sessions and logs in. What it cannot say stands here: templates within
//! templates and lists of allowed mechanisms, mechanisms by number, mechanism lists without gaps, and one call where
//! cryptoki asks for the length first. Every function takes a [`Session`], which is not `Sync`: one thread at a time.

#![allow(unsafe_code, reason = "PKCS#11 is a C interface; every unsafe block for it is in this file")]

use std::ffi::{CString, c_void};
use std::path::Path;
use std::ptr::null_mut;

use cryptoki::error::{Rv, RvError};
use cryptoki::session::Session;
use cryptoki_sys::{
    CK_AES_CTR_PARAMS, CK_ATTRIBUTE, CK_ATTRIBUTE_TYPE, CK_BBOOL, CK_C_DecapsulateKey, CK_C_INITIALIZE_ARGS,
    CK_CCM_PARAMS, CK_EDDSA_PARAMS, CK_FALSE, CK_FUNCTION_LIST, CK_FUNCTION_LIST_3_2, CK_GCM_PARAMS, CK_INTERFACE,
    CK_MECHANISM, CK_MECHANISM_INFO, CK_MECHANISM_TYPE, CK_OBJECT_HANDLE, CK_RSA_PKCS_OAEP_PARAMS,
    CK_RSA_PKCS_PSS_PARAMS, CK_RV, CK_SESSION_HANDLE, CK_SLOT_ID, CK_TRUE, CK_ULONG, CK_UNAVAILABLE_INFORMATION,
    CK_VERSION, CKA_CLASS, CKA_VALUE, CKF_OS_LOCKING_OK, CKM_AES_CCM, CKM_AES_CTR, CKM_AES_GCM, CKM_EDDSA,
    CKM_RSA_PKCS_OAEP, CKM_RSA_PKCS_PSS, CKO_PUBLIC_KEY, CKR_FUNCTION_NOT_SUPPORTED, CKZ_DATA_SPECIFIED,
};
use zeroize::Zeroizing;

use super::attr::{Attr, Mechanism, is_secret};
use super::fault::Fault;

/// The handle of an object. It means nothing without the session that keeps the object alive.
pub(super) type Handle = CK_OBJECT_HANDLE;

type Answer<T> = Result<T, Fault>;

/// An attribute as it was read back from a template within an object.
pub(super) type Entry = (CK_ATTRIBUTE_TYPE, Vec<u8>);

/// The module's functions.
pub(super) struct Raw {
    list: CK_FUNCTION_LIST,
    /// Since PKCS#11 3.2.
    decapsulate_key: CK_C_DecapsulateKey,
    // Keeps the library mapped as long as the function pointers are.
    _library: cryptoki_sys::Pkcs11,
}

/// Calls one function of the list and turns its return value into a result.
macro_rules! call {
    ($raw:expr, $function:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: the pointer came from the module's own function list, and the library stays mapped while `Raw` lives.
        // Every pointer among the arguments comes from a slice, a vector or a local that outlives the call, with its own
        // length beside it. PKCS#11 functions do not keep them (an Init call copies its parameters).
        let rv = match $raw.list.$function {
            Some(function) => unsafe { function($($argument),*) },
            None => CKR_FUNCTION_NOT_SUPPORTED,
        };
        check(stringify!($function), rv)
    }};
}

impl Raw {
    /// Opens a library and takes its function list.
    pub(super) fn load(path: &Path) -> Answer<Self> {
        let missing = || Fault { call: "C_GetFunctionList", error: RvError::LibraryLoadFailed };
        // SAFETY: loading runs the library's initialisers; the operator named the library as the PKCS#11 module.
        let library = unsafe { cryptoki_sys::Pkcs11::new(path) }.map_err(|_| missing())?;
        let mut list: *mut CK_FUNCTION_LIST = null_mut();
        let get = library.C_GetFunctionList.as_ref().map_err(|_| missing())?;
        // SAFETY: `list` is a valid place for the pointer; the function takes nothing else.
        check("C_GetFunctionList", unsafe { get(&mut list) })?;
        // SAFETY: after CKR_OK the pointer is null or points to the module's list, which lives as long as the library.
        let list = *unsafe { list.as_ref() }.ok_or_else(missing)?;
        Ok(Self { list, decapsulate_key: decapsulate_key(&library), _library: library })
    }

    /// Whether keys of ML-KEM can decapsulate at all.
    pub(super) const fn decapsulates(&self) -> bool {
        self.decapsulate_key.is_some()
    }

    /// Initialises the module with arguments in its own words. The standard reserves their place and says no more; NSS,
    /// which reads them there, looks for a null pointer behind them.
    pub(super) fn initialize(&self, arguments: &str) -> Answer<()> {
        #[repr(C)]
        struct Longer {
            standard: CK_C_INITIALIZE_ARGS,
            reserved: *mut c_void,
        }
        let text = CString::new(arguments).map_err(|_| Fault { call: "C_Initialize", error: RvError::ArgumentsBad })?;
        let standard = CK_C_INITIALIZE_ARGS {
            flags: CKF_OS_LOCKING_OK,
            pReserved: text.as_ptr().cast_mut().cast(),
            ..CK_C_INITIALIZE_ARGS::default()
        };
        let mut longer = Longer { standard, reserved: null_mut() };
        call!(self, C_Initialize((&raw mut longer).cast()))
    }

    /// All mechanisms of a slot, known to cryptoki or not.
    pub(super) fn mechanisms(&self, slot: CK_SLOT_ID) -> Answer<Vec<CK_MECHANISM_TYPE>> {
        let mut count: CK_ULONG = 0;
        call!(self, C_GetMechanismList(slot, null_mut(), &mut count))?;
        let mut list = vec![0; size(count)];
        call!(self, C_GetMechanismList(slot, list.as_mut_ptr(), &mut count))?;
        list.truncate(size(count));
        Ok(list)
    }

    /// The smallest and largest key of a mechanism, in the mechanism's own unit.
    pub(super) fn key_sizes(&self, slot: CK_SLOT_ID, mechanism: CK_MECHANISM_TYPE) -> Answer<(CK_ULONG, CK_ULONG)> {
        let mut info = CK_MECHANISM_INFO::default();
        call!(self, C_GetMechanismInfo(slot, mechanism, &mut info))?;
        Ok((info.ulMinKeySize, info.ulMaxKeySize))
    }

    pub(super) fn generate_key(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        template: &[Attr<'_>],
    ) -> Answer<Handle> {
        let mut template = Template::of(template);
        let mut handle = 0;
        with_mechanism(mechanism, |mechanism| {
            call!(self, C_GenerateKey(session.handle(), mechanism, template.pointer(), template.len(), &mut handle))
        })?;
        Ok(handle)
    }

    /// Answers the public and the private half.
    pub(super) fn generate_key_pair(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        public: &[Attr<'_>],
        private: &[Attr<'_>],
    ) -> Answer<(Handle, Handle)> {
        let (mut public, mut private) = (Template::of(public), Template::of(private));
        let (mut public_handle, mut private_handle) = (0, 0);
        with_mechanism(mechanism, |mechanism| {
            call!(
                self,
                C_GenerateKeyPair(
                    session.handle(),
                    mechanism,
                    public.pointer(),
                    public.len(),
                    private.pointer(),
                    private.len(),
                    &mut public_handle,
                    &mut private_handle,
                )
            )
        })?;
        Ok((public_handle, private_handle))
    }

    pub(super) fn create_object(&self, session: &Session, template: &[Attr<'_>]) -> Answer<Handle> {
        let mut template = Template::of(template);
        let mut handle = 0;
        call!(self, C_CreateObject(session.handle(), template.pointer(), template.len(), &mut handle))?;
        Ok(handle)
    }

    pub(super) fn copy_object(&self, session: &Session, object: Handle, template: &[Attr<'_>]) -> Answer<Handle> {
        let mut template = Template::of(template);
        let mut handle = 0;
        call!(self, C_CopyObject(session.handle(), object, template.pointer(), template.len(), &mut handle))?;
        Ok(handle)
    }

    pub(super) fn destroy_object(&self, session: &Session, object: Handle) -> Answer<()> {
        call!(self, C_DestroyObject(session.handle(), object))
    }

    pub(super) fn set_attributes(&self, session: &Session, object: Handle, template: &[Attr<'_>]) -> Answer<()> {
        let mut template = Template::of(template);
        call!(self, C_SetAttributeValue(session.handle(), object, template.pointer(), template.len()))
    }

    /// Objects that match all of a template, at most `limit` of them.
    pub(super) fn find(&self, session: &Session, template: &[Attr<'_>], limit: usize) -> Answer<Vec<Handle>> {
        let mut template = Template::of(template);
        call!(self, C_FindObjectsInit(session.handle(), template.pointer(), template.len()))?;
        let mut found = vec![0; limit];
        let mut count: CK_ULONG = 0;
        let answer = call!(self, C_FindObjects(session.handle(), found.as_mut_ptr(), length(&found), &mut count));
        call!(self, C_FindObjectsFinal(session.handle()))?;
        answer?;
        found.truncate(size(count));
        Ok(found)
    }

    /// An attribute that is not key material, as the module lays it out.
    pub(super) fn attribute(&self, session: &Session, object: Handle, attribute: CK_ATTRIBUTE_TYPE) -> Answer<Vec<u8>> {
        if is_secret(attribute) {
            return Err(Fault { call: "C_GetAttributeValue", error: RvError::AttributeSensitive });
        }
        self.read(session, object, attribute)
    }

    /// The value of a public key.
    pub(super) fn public_value(&self, session: &Session, object: Handle) -> Answer<Vec<u8>> {
        if self.read(session, object, CKA_CLASS)? != CKO_PUBLIC_KEY.to_ne_bytes() {
            return Err(Fault { call: "C_GetAttributeValue", error: RvError::AttributeSensitive });
        }
        self.read(session, object, CKA_VALUE)
    }

    /// Whether the module gives out the value of a secret key. The bytes, if it does, are wiped here.
    pub(super) fn reveals_value(&self, session: &Session, object: Handle) -> bool {
        self.read(session, object, CKA_VALUE).map(Zeroizing::new).is_ok()
    }

    fn read(&self, session: &Session, object: Handle, attribute: CK_ATTRIBUTE_TYPE) -> Answer<Vec<u8>> {
        let mut entry = CK_ATTRIBUTE { type_: attribute, pValue: null_mut(), ulValueLen: 0 };
        call!(self, C_GetAttributeValue(session.handle(), object, &mut entry, 1))?;
        if entry.ulValueLen == CK_ULONG::MAX {
            return Err(Fault { call: "C_GetAttributeValue", error: RvError::AttributeTypeInvalid });
        }
        let mut value = vec![0_u8; size(entry.ulValueLen)];
        entry.pValue = value.as_mut_ptr().cast();
        call!(self, C_GetAttributeValue(session.handle(), object, &mut entry, 1))?;
        value.truncate(size(entry.ulValueLen));
        Ok(value)
    }

    /// The entries of a template within an object.
    pub(super) fn template(
        &self,
        session: &Session,
        object: Handle,
        attribute: CK_ATTRIBUTE_TYPE,
    ) -> Answer<Vec<Entry>> {
        let mut outer = CK_ATTRIBUTE { type_: attribute, pValue: null_mut(), ulValueLen: 0 };
        call!(self, C_GetAttributeValue(session.handle(), object, &mut outer, 1))?;
        let count = size(outer.ulValueLen).checked_div(size_of::<CK_ATTRIBUTE>()).unwrap_or(0).min(64);
        // PKCS#11 3.2 asks for types by a type that is none; older modules write over whatever is there.
        let empty = CK_ATTRIBUTE { type_: CK_UNAVAILABLE_INFORMATION, pValue: null_mut(), ulValueLen: 0 };
        let mut inner = vec![empty; count];
        outer.pValue = inner.as_mut_ptr().cast();
        outer.ulValueLen = ulong(size_of_val(inner.as_slice()));
        // The first pass fills types and lengths, the second the values.
        call!(self, C_GetAttributeValue(session.handle(), object, &mut outer, 1))?;
        let mut values: Vec<Vec<u8>> = inner.iter().map(|entry| vec![0; size(entry.ulValueLen).min(4096)]).collect();
        for (entry, value) in inner.iter_mut().zip(&mut values) {
            entry.pValue = value.as_mut_ptr().cast();
            entry.ulValueLen = length(value);
        }
        call!(self, C_GetAttributeValue(session.handle(), object, &mut outer, 1))?;
        Ok(inner.iter().map(|entry| entry.type_).zip(values).collect())
    }

    /// Wraps one key with another, in a single call where the buffer suffices.
    pub(super) fn wrap_key(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        by: Handle,
        key: Handle,
    ) -> Answer<Vec<u8>> {
        with_mechanism(mechanism, |mechanism| {
            fill(4096, |out, len| call!(self, C_WrapKey(session.handle(), mechanism, by, key, out, len)))
        })
    }

    pub(super) fn unwrap_key(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        by: Handle,
        wrapped: &[u8],
        template: &[Attr<'_>],
    ) -> Answer<Handle> {
        let mut template = Template::of(template);
        let mut handle = 0;
        with_mechanism(mechanism, |mechanism| {
            call!(
                self,
                C_UnwrapKey(
                    session.handle(),
                    mechanism,
                    by,
                    input(wrapped),
                    length(wrapped),
                    template.pointer(),
                    template.len(),
                    &mut handle,
                )
            )
        })?;
        Ok(handle)
    }

    /// Derives a key from another.
    pub(super) fn derive_key(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        base: Handle,
        template: &[Attr<'_>],
    ) -> Answer<Handle> {
        let mut template = Template::of(template);
        let mut handle = 0;
        with_mechanism(mechanism, |mechanism| {
            call!(self, C_DeriveKey(session.handle(), mechanism, base, template.pointer(), template.len(), &mut handle))
        })?;
        Ok(handle)
    }

    /// Makes a key of the shared secret that a ciphertext of ML-KEM holds.
    pub(super) fn decapsulate(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        key: Handle,
        ciphertext: &[u8],
        template: &[Attr<'_>],
    ) -> Answer<Handle> {
        const CALL: &str = "C_DecapsulateKey";
        let Some(function) = self.decapsulate_key else {
            return check(CALL, CKR_FUNCTION_NOT_SUPPORTED).map(|()| 0);
        };
        let mut template = Template::of(template);
        let mut handle = 0;
        with_mechanism(mechanism, |mechanism| {
            // SAFETY: as for the functions of the list.
            let rv = unsafe {
                function(
                    session.handle(),
                    mechanism,
                    key,
                    template.pointer(),
                    template.len(),
                    input(ciphertext),
                    length(ciphertext),
                    &mut handle,
                )
            };
            check(CALL, rv)
        })?;
        Ok(handle)
    }

    /// Encrypts in one part. `room` bytes must be enough for the answer.
    pub(super) fn encrypt(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        key: Handle,
        data: &[u8],
        room: usize,
    ) -> Answer<Vec<u8>> {
        let session: CK_SESSION_HANDLE = session.handle();
        with_mechanism(mechanism, |mechanism| call!(self, C_EncryptInit(session, mechanism, key)))?;
        fill(room, |out, len| call!(self, C_Encrypt(session, input(data), length(data), out, len)))
    }

    /// Decrypts in one part. The plaintext is never longer than the ciphertext.
    pub(super) fn decrypt(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        key: Handle,
        data: &[u8],
    ) -> Answer<Zeroizing<Vec<u8>>> {
        let session: CK_SESSION_HANDLE = session.handle();
        with_mechanism(mechanism, |mechanism| call!(self, C_DecryptInit(session, mechanism, key)))?;
        // Some modules want a whole block more than the plaintext needs.
        fill(data.len().saturating_add(16), |out, len| {
            call!(self, C_Decrypt(session, input(data), length(data), out, len))
        })
        .map(Zeroizing::new)
    }

    /// Signs, or computes a MAC, in one part.
    pub(super) fn sign(
        &self,
        session: &Session,
        mechanism: &Mechanism<'_>,
        key: Handle,
        data: &[u8],
        room: usize,
    ) -> Answer<Vec<u8>> {
        let session: CK_SESSION_HANDLE = session.handle();
        with_mechanism(mechanism, |mechanism| call!(self, C_SignInit(session, mechanism, key)))?;
        fill(room, |out, len| call!(self, C_Sign(session, input(data), length(data), out, len)))
    }

    /// Begins a signature or MAC in parts.
    pub(super) fn sign_init(&self, session: &Session, mechanism: &Mechanism<'_>, key: Handle) -> Answer<()> {
        let session: CK_SESSION_HANDLE = session.handle();
        with_mechanism(mechanism, |mechanism| call!(self, C_SignInit(session, mechanism, key)))
    }

    pub(super) fn sign_update(&self, session: &Session, data: &[u8]) -> Answer<()> {
        call!(self, C_SignUpdate(session.handle(), input(data), length(data)))
    }

    /// Ends it. `room` bytes must be enough for the answer.
    pub(super) fn sign_final(&self, session: &Session, room: usize) -> Answer<Vec<u8>> {
        fill(room, |out, len| call!(self, C_SignFinal(session.handle(), out, len)))
    }

    /// Begins an encryption in parts.
    pub(super) fn encrypt_init(&self, session: &Session, mechanism: &Mechanism<'_>, key: Handle) -> Answer<()> {
        let session: CK_SESSION_HANDLE = session.handle();
        with_mechanism(mechanism, |mechanism| call!(self, C_EncryptInit(session, mechanism, key)))
    }

    /// The next part. `room` bytes must be enough for the answer.
    pub(super) fn encrypt_update(&self, session: &Session, data: &[u8], room: usize) -> Answer<Vec<u8>> {
        let session: CK_SESSION_HANDLE = session.handle();
        fill(room, |out, len| call!(self, C_EncryptUpdate(session, input(data), length(data), out, len)))
    }

    /// Ends it. `room` bytes must be enough for the answer.
    pub(super) fn encrypt_final(&self, session: &Session, room: usize) -> Answer<Vec<u8>> {
        fill(room, |out, len| call!(self, C_EncryptFinal(session.handle(), out, len)))
    }
}

/// What a list of PKCS#11 3.2 has and one of 2.40 has not. Modules may have the one, the other or both.
fn decapsulate_key(library: &cryptoki_sys::Pkcs11) -> CK_C_DecapsulateKey {
    let get = library.C_GetInterface.as_ref().ok()?;
    let mut name = *b"PKCS 11\0";
    let mut version = CK_VERSION { major: 3, minor: 2 };
    let mut interface: *mut CK_INTERFACE = null_mut();
    // SAFETY: name, version and the place for the answer are locals; the module keeps none of them.
    let rv = unsafe { get(name.as_mut_ptr(), &mut version, &mut interface, 0) };
    check("C_GetInterface", rv).ok()?;
    // SAFETY: after CKR_OK the pointer is null or points to an interface that lives as long as the library.
    let list = unsafe { interface.as_ref() }?.pFunctionList;
    // SAFETY: every list of functions begins with its version.
    let version = unsafe { list.cast::<CK_VERSION>().as_ref() }?;
    if (version.major, version.minor) != (3, 2) {
        return None;
    }
    // SAFETY: the list is of the version that was asked for, and says so.
    unsafe { list.cast::<CK_FUNCTION_LIST_3_2>().as_ref() }?.C_DecapsulateKey
}

fn check(call: &'static str, rv: CK_RV) -> Answer<()> {
    match Rv::from(rv) {
        Rv::Ok => Ok(()),
        Rv::Error(error) => Err(Fault { call, error }),
    }
}

/// Gives a function a buffer to fill, and once more a larger one if it asks for it.
fn fill(room: usize, mut run: impl FnMut(*mut u8, &mut CK_ULONG) -> Answer<()>) -> Answer<Vec<u8>> {
    let mut out = vec![0_u8; room.max(1)];
    let mut len = length(&out);
    match run(out.as_mut_ptr(), &mut len) {
        Err(Fault { error: RvError::BufferTooSmall, .. }) if size(len) > out.len() => {
            out = vec![0_u8; size(len)];
            len = length(&out);
            run(out.as_mut_ptr(), &mut len)?;
        }
        answer => answer?,
    }
    out.truncate(size(len));
    Ok(out)
}

/// A mechanism with a structure as its parameter.
pub(super) fn laid<P>(mechanism: CK_MECHANISM_TYPE, parameter: &mut P) -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism,
        pParameter: std::ptr::from_mut(parameter).cast::<c_void>(),
        ulParameterLen: ulong(size_of::<P>()),
    }
}

/// Lays a mechanism out in C for the length of a call.
fn with_mechanism<T>(mechanism: &Mechanism<'_>, run: impl FnOnce(*mut CK_MECHANISM) -> T) -> T {
    match *mechanism {
        Mechanism::Deriving(deriving) => deriving.lay(run),
        Mechanism::Plain(mechanism) => run(&mut CK_MECHANISM { mechanism, pParameter: null_mut(), ulParameterLen: 0 }),
        Mechanism::Iv(mechanism, iv) => {
            run(&mut CK_MECHANISM { mechanism, pParameter: input(iv).cast(), ulParameterLen: length(iv) })
        }
        Mechanism::Ctr(cb) => {
            let mut parameter = CK_AES_CTR_PARAMS { ulCounterBits: 128, cb };
            run(&mut laid(CKM_AES_CTR, &mut parameter))
        }
        Mechanism::Gcm { iv, aad, tag_bits } => {
            let mut parameter = CK_GCM_PARAMS {
                pIv: input(iv),
                ulIvLen: length(iv),
                ulIvBits: length(iv).saturating_mul(8),
                pAAD: input(aad),
                ulAADLen: length(aad),
                ulTagBits: tag_bits,
            };
            run(&mut laid(CKM_AES_GCM, &mut parameter))
        }
        Mechanism::Ccm { nonce, aad, tag_len, len } => {
            let mut parameter = CK_CCM_PARAMS {
                ulDataLen: ulong(len),
                pNonce: input(nonce),
                ulNonceLen: length(nonce),
                pAAD: input(aad),
                ulAADLen: length(aad),
                ulMACLen: ulong(tag_len),
            };
            run(&mut laid(CKM_AES_CCM, &mut parameter))
        }
        Mechanism::ChaCha20(given) => given.lay(run),
        Mechanism::Eddsa => {
            let mut parameter = CK_EDDSA_PARAMS { phFlag: CK_FALSE, ulContextDataLen: 0, pContextData: null_mut() };
            run(&mut laid(CKM_EDDSA, &mut parameter))
        }
        Mechanism::Pss { hash, mgf, salt } => {
            let mut parameter = CK_RSA_PKCS_PSS_PARAMS { hashAlg: hash, mgf, sLen: salt };
            run(&mut laid(CKM_RSA_PKCS_PSS, &mut parameter))
        }
        Mechanism::Oaep { hash, mgf, label } => {
            let mut parameter = CK_RSA_PKCS_OAEP_PARAMS {
                hashAlg: hash,
                mgf,
                source: CKZ_DATA_SPECIFIED,
                pSourceData: if label.is_empty() { null_mut() } else { input(label).cast() },
                ulSourceDataLen: length(label),
            };
            run(&mut laid(CKM_RSA_PKCS_OAEP, &mut parameter))
        }
    }
}

/// A template laid out in C. It points into the attributes it was made of, and into its own inner templates.
struct Template<'a> {
    list: Vec<CK_ATTRIBUTE>,
    _inner: Vec<Template<'a>>,
    _attributes: &'a [Attr<'a>],
}

static TRUE: CK_BBOOL = CK_TRUE;
static FALSE: CK_BBOOL = CK_FALSE;

impl<'a> Template<'a> {
    fn of(attributes: &'a [Attr<'a>]) -> Self {
        let mut inner = Vec::new();
        let list = attributes
            .iter()
            .map(|attribute| match attribute {
                Attr::Bool(kind, value) => entry(*kind, std::slice::from_ref(if *value { &TRUE } else { &FALSE })),
                Attr::Number(kind, value) => entry(*kind, std::slice::from_ref(value)),
                Attr::Bytes(kind, value) => entry(*kind, value),
                Attr::Mechanisms(kind, list) => entry(*kind, list),
                Attr::Template(kind, attributes) => {
                    let template = Template::of(attributes);
                    // The list is on the heap: it stays where it is when the template moves into `inner`.
                    let laid = entry(*kind, &template.list);
                    inner.push(template);
                    laid
                }
            })
            .collect();
        Self { list, _inner: inner, _attributes: attributes }
    }

    fn pointer(&mut self) -> *mut CK_ATTRIBUTE {
        self.list.as_mut_ptr()
    }

    fn len(&self) -> CK_ULONG {
        length(&self.list)
    }
}

/// PKCS#11 takes its inputs as pointers to mutable data and does not write to them.
fn entry<T>(kind: CK_ATTRIBUTE_TYPE, value: &[T]) -> CK_ATTRIBUTE {
    CK_ATTRIBUTE {
        type_: kind,
        pValue: value.as_ptr().cast_mut().cast::<c_void>(),
        ulValueLen: ulong(size_of_val(value)),
    }
}

pub(super) fn input(data: &[u8]) -> *mut u8 {
    data.as_ptr().cast_mut()
}

pub(super) fn length<T>(data: &[T]) -> CK_ULONG {
    ulong(data.len())
}

/// A length of something that is in memory fits into CK_ULONG, which is as wide as a pointer or wider.
pub(super) fn ulong(value: usize) -> CK_ULONG {
    CK_ULONG::try_from(value).unwrap_or(CK_ULONG::MAX)
}

fn size(value: CK_ULONG) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
