//! Somebody else who is always a moment faster: what happens in the Region right before some requests arrive there.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use privatelink_region::Region;

/// What somebody does before a request arrives. It is told which one that is, from 0.
type Deed = Box<dyn FnMut(usize) + Send>;

#[derive(Clone)]
struct Meanwhile {
    region: Region,
    method: &'static str,
    ending: &'static str,
    deed: Arc<Mutex<(usize, Deed)>>,
}

/// A way to a Region on which that is done before each request of that method to a path that ends so.
pub fn meanwhile(
    region: &Region,
    method: &'static str,
    ending: &'static str,
    deed: impl FnMut(usize) + Send + 'static,
) -> SharedHttpClient {
    let deed: Deed = Box::new(deed);
    let deed = Arc::new(Mutex::new((0, deed)));
    SharedHttpClient::new(Meanwhile { region: region.clone(), method, ending, deed })
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region: _, method, ending, deed: _ } = self;
        f.debug_struct("Meanwhile").field("method", method).field("ending", ending).finish_non_exhaustive()
    }
}

impl HttpClient for Meanwhile {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Meanwhile {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let path = request.uri().split('?').next().unwrap_or_default().trim_end_matches('/');
        if request.method() == self.method && path.ends_with(self.ending) {
            let (count, deed) = &mut *self.deed.lock().unwrap();
            deed(*count);
            *count += 1;
        }
        self.region.call(request)
    }
}
