//! `delivery.request_return`: a label for a parcel that comes back to one of our locations. It is a dispatch the other way.

use mortise_capability::{Call, Intended, RemoteOperation, Reply, SendContext, Settling, Unanswered};
use mortise_store::{StoreError, Tx};

use super::Dispatch;
use crate::carrier::{CarrierRequest, DispatchAnswer};
use crate::contract::{DispatchInput, Dispatched, ReturnInput};

pub(crate) struct RequestReturn(pub(crate) Dispatch);

fn dispatch(call: &Call<ReturnInput>) -> Call<DispatchInput> {
    let ReturnInput { order_id, parcel, ship_from } = call.input.clone();
    let input = DispatchInput { order_id, parcel, ship_to: ship_from, collect: None };
    Call { context: call.context.clone(), input }
}

impl RemoteOperation for RequestReturn {
    type Input = ReturnInput;
    type Output = Dispatched;
    type Intent = CarrierRequest;
    type Answer = DispatchAnswer;

    async fn intent(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ReturnInput>],
    ) -> Result<Vec<Intended<CarrierRequest, Dispatched>>, StoreError> {
        self.0.intent(tx, &calls.iter().map(dispatch).collect::<Vec<_>>()).await
    }

    async fn send(&self, context: SendContext, intent: CarrierRequest) -> Result<DispatchAnswer, Unanswered> {
        self.0.send(context, intent).await
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<ReturnInput, CarrierRequest, DispatchAnswer>],
    ) -> Result<Vec<Reply<Dispatched>>, StoreError> {
        let items: Vec<Settling<DispatchInput, CarrierRequest, DispatchAnswer>> = items
            .iter()
            .map(|item| Settling {
                call: dispatch(&item.call),
                intent: item.intent.clone(),
                answer: item.answer.clone(),
            })
            .collect();
        self.0.settle(tx, &items).await
    }
}
