//! Files: objects at BUCKET/KEY below the root, everything else in a folder of its own beside the buckets.
//!
//! What becomes visible is renamed into place, whole. Calls block, for as long as a page cache does; nothing is synced.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use s3s::{S3Error, S3Result, s3_error};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::about::{About, Stamp};
use super::body::hex;
use super::key;
use super::object::Conditions;
use crate::exit::Stop;
use crate::platform::dir::failed;

/// Not a bucket: their names begin with a letter or a digit.
pub(super) fn own_folder(root: &Path) -> PathBuf {
    root.join(".store")
}

pub(super) struct Store {
    root: PathBuf,
    own: PathBuf,
    /// Held while an object changes, so that a condition still holds when its object is in place.
    changing: Mutex<()>,
}

/// A key of a bucket that exists, and its file.
pub(super) struct Place {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) path: PathBuf,
}

/// An object, its file open: replaced or not, these bytes and these words belong together.
pub(super) struct Found {
    pub(super) file: File,
    pub(super) stamp: Stamp,
    pub(super) about: About,
}

impl Store {
    pub(super) fn open(root: &Path) -> Result<Store, Stop> {
        let own = own_folder(root);
        let store = Store { root: root.to_owned(), own, changing: Mutex::new(()) };
        // Of a server that was killed in mid-write.
        fs::remove_dir_all(store.own.join("temporary")).ok();
        for folder in [store.own.join("temporary"), store.own.join("about"), store.uploads()] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(|error| failed("make", &folder, &error))?;
        }
        Ok(store)
    }

    pub(super) fn make_bucket(&self, bucket: &str) -> Result<(), Stop> {
        if !s3s::path::check_bucket_name(bucket) {
            return Err(Stop::usage(format!("{bucket:?} cannot be the name of an S3 bucket"))
                .hint("3 to 63 lower-case letters, digits, dots and hyphens, a letter or a digit first and last"));
        }
        let path = self.root.join(bucket);
        fs::create_dir_all(&path).map_err(|error| failed("make", &path, &error))
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn uploads(&self) -> PathBuf {
        self.own.join("uploads")
    }

    /// The folder of a bucket that exists. S3's rules for names, checked before, make it a plain name.
    pub(super) fn bucket(&self, bucket: &str) -> S3Result<PathBuf> {
        let path = self.root.join(bucket);
        if !path.is_dir() {
            return Err(s3_error!(NoSuchBucket, "the bucket {bucket:?} does not exist"));
        }
        Ok(path)
    }

    pub(super) fn place(&self, bucket: &str, key: &str) -> S3Result<Place> {
        let folder = self.bucket(bucket)?;
        key::check(key)?;
        Ok(Place { bucket: bucket.to_owned(), key: key.to_owned(), path: folder.join(key) })
    }

    pub(super) fn find(&self, place: &Place) -> S3Result<Found> {
        self.look(place)?.ok_or_else(|| s3_error!(NoSuchKey, "the key {:?} does not exist", place.key))
    }

    /// A file that somebody else put there is an object too.
    fn look(&self, place: &Place) -> S3Result<Option<Found>> {
        let mut file = match File::open(&place.path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(broken(error)),
        };
        let metadata = file.metadata().map_err(broken)?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let stamp = Stamp::of(&metadata);
        let kept: Option<About> = read_json(&self.about(&place.bucket, &place.key))?;
        let about = match kept.filter(|about| about.stamp == stamp) {
            Some(about) => about,
            None => About { etag: hex(md5_of(&mut file).map_err(broken)?), stamp, ..About::default() },
        };
        Ok(Some(Found { file, stamp, about }))
    }

    /// Puts a file into an object's place, if the conditions hold.
    pub(super) fn publish(
        &self,
        place: &Place,
        temporary: Temporary,
        mut about: About,
        conditions: &Conditions,
    ) -> S3Result<()> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        conditions.check(self.look(place)?.as_ref().map(|found| found.about.etag.as_str()))?;
        about.stamp = Stamp::of(&temporary.file.metadata().map_err(broken)?);
        if let Some(parent) = place.path.parent() {
            fs::create_dir_all(parent).map_err(|error| misplaced(place, error))?;
        }
        temporary.rename(&place.path).map_err(|error| misplaced(place, error))?;
        // Killed here, the object has no tags, rather than another's: the stamp tells. Its client has no answer yet.
        self.save_about(place, &about)
    }

    /// Changes what is kept beside an object that exists.
    pub(super) fn change(&self, place: &Place, change: impl FnOnce(&mut About)) -> S3Result<()> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut about = self.find(place)?.about;
        change(&mut about);
        self.save_about(place, &about)
    }

    /// Gone, whether it was there or not. Folders that hold nothing any more go with it.
    pub(super) fn remove(&self, place: &Place) -> S3Result<()> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::remove_file(&place.path) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
            Err(_) if place.path.is_dir() => return Ok(()),
            Err(error) => return Err(broken(error)),
        }
        fs::remove_file(self.about(&place.bucket, &place.key)).ok();
        let bucket = self.root.join(&place.bucket);
        let parents = place.path.ancestors().skip(1).take_while(|folder| *folder != bucket);
        for folder in parents {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn save_about(&self, place: &Place, about: &About) -> S3Result<()> {
        let path = self.about(&place.bucket, &place.key);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(broken)?;
        }
        self.save_json(&path, about)
    }

    /// By the hash of the key, which may be longer than a file's name.
    fn about(&self, bucket: &str, key: &str) -> PathBuf {
        self.own.join("about").join(bucket).join(format!("{:x}.json", Sha256::digest(key)))
    }

    /// Into a folder that is there.
    pub(super) fn save_json(&self, path: &Path, value: &impl Serialize) -> S3Result<()> {
        let mut temporary = self.temporary()?;
        let bytes = serde_json::to_vec_pretty(value).map_err(|error| s3_error!(error, InternalError))?;
        temporary.file.write_all(&bytes).map_err(broken)?;
        temporary.rename(path).map_err(broken)
    }

    pub(super) fn temporary(&self) -> S3Result<Temporary> {
        let path = self.own.join("temporary").join(format!("{:016x}", rand::random::<u64>()));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).map_err(broken)?;
        Ok(Temporary { file, path })
    }
}

/// A file that is removed unless it is renamed into its place.
pub(super) struct Temporary {
    pub(super) file: File,
    path: PathBuf,
}

impl Temporary {
    pub(super) fn rename(self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename nothing is there any more.
        fs::remove_file(&self.path).ok();
    }
}

/// None where there is none.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> S3Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| s3_error!(error, InternalError)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(broken(error)),
    }
}

/// What the file system refuses for reasons that are no client's fault.
pub(super) fn broken(error: io::Error) -> S3Error {
    s3_error!(InternalError, "the store's file system: {error}")
}

fn misplaced(place: &Place, error: io::Error) -> S3Error {
    match error.kind() {
        ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::DirectoryNotEmpty => key::hidden(&place.key),
        _ => broken(error),
    }
}

fn md5_of(file: &mut File) -> io::Result<[u8; 16]> {
    use io::{Read, Seek};
    use s3s::crypto::{Checksum, Md5};
    let (mut md5, mut buffer) = (Md5::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => md5.update(&buffer[..read]),
        }
    }
    file.rewind()?;
    Ok(md5.finalize())
}
